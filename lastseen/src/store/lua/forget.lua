-- Erases a user, also from the feed and from every day, and keeps out until a day later what was in flight.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number, and the days
-- ARGV: 1 user, 2 forgotten_at, 3 the earliest forgetting that still holds, in microseconds, 4 how long the keys are kept,
--       in milliseconds, 5 origin, 6 length of the feed
local seen, ips, left, forgotten, profiles, feed, trimmed, numbers = unpack(KEYS)
local user = ARGV[1]
redis.call('ZREM', seen, user)
redis.call('HDEL', ips, user)
redis.call('ZREM', left, user)
redis.call('HDEL', profiles, user)

local number = redis.call('HGET', numbers, user)
if number then
    redis.call('HDEL', numbers, user)
    for day = OWN + 1, #KEYS do
        -- To write a bit would make the string.
        if redis.call('GETBIT', KEYS[day], number) == 1 then
            redis.call('SETBIT', KEYS[day], number, 0)
        end
    end
end

local from, PAGE = '-', 500
repeat
    local entries = redis.call('XRANGE', feed, from, '+', 'COUNT', PAGE)
    for _, entry in ipairs(entries) do
        if string.match(entry[2][2], '^[^\n]*\n([^\n]*)\n') == user then
            redis.call('XDEL', feed, entry[1])
        end
        from = '(' .. entry[1]
    end
until #entries < PAGE

redis.call('ZREMRANGEBYSCORE', forgotten, '-inf', '(' .. ARGV[3])
redis.call('ZADD', forgotten, 'GT', ARGV[2], user)
local kept = redis.call('ZSCORE', forgotten, user)
-- An erasure that is another's is news to this handle too.
local origin = tonumber(kept) > tonumber(ARGV[2]) and '0' or ARGV[5]
publish(feed, trimmed, ARGV[6], 'f', origin, { { user, kept } })
live_on(ARGV[4])
