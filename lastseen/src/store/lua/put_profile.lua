-- Keeps a user's profile.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number
-- ARGV: 1 user, 2 profile, 3 how long the keys are kept, in milliseconds, 4 origin, 5 length of the feed
local _, _, _, _, profiles, feed, trimmed = unpack(KEYS)
redis.call('HSET', profiles, ARGV[1], ARGV[2])
publish(feed, trimmed, ARGV[5], 'p', ARGV[4], { { ARGV[1], ARGV[2] } })
live_on(ARGV[3])
