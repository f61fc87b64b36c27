-- The spans of a resolution, oldest first: when each began, and its counts.
-- KEYS: at, counts
-- ARGV: 1 the earliest beginning, 2 the latest
local moments = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2])
local spans = {}
for _, at in ipairs(moments) do
    spans[#spans + 1] = at
    spans[#spans + 1] = redis.call('HGET', KEYS[2], at)
end
return spans
