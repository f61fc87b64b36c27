-- ?1 resolution, ?2 at, ?3 online, ?4 peak
INSERT INTO online_history (resolution, at, online, peak)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (resolution, at) DO UPDATE SET online = max(online, excluded.online), peak = max(peak, excluded.peak);
