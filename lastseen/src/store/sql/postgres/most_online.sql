SELECT most_online, most_online_at FROM {meta} WHERE most_online IS NOT NULL;
