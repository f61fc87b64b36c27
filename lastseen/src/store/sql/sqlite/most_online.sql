SELECT online, at FROM most_online;
