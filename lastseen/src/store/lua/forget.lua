-- Erases a user up to a moment, also from the feed and from every day, and keeps out until a day later what was in flight.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number, and the days
-- ARGV: 1 user, 2 forgotten_at, 3 the earliest forgetting that still holds, 4 the latest date that isn't void by the caller's
--       clock and 5 the caller's time, in microseconds, 6 the first of the days, 7 how long the keys are kept, in milliseconds,
--       8 origin, 9 length of the feed
local seen, ips, left, forgotten, profiles, feed, trimmed, numbers = unpack(KEYS)
local user, limit = ARGV[1], not_void(ARGV[4], ARGV[5])

-- The user's date there, unless it is void.
local function date_in(key)
    local date = redis.call('ZSCORE', key, user)
    return date and tonumber(date) <= limit and date
end

-- The later of the two, where the user has been erased before.
redis.call('ZREMRANGEBYSCORE', forgotten, '-inf', '(' .. ARGV[3])
local erased = date_in(forgotten)
local is_anothers = erased and tonumber(erased) > tonumber(ARGV[2])
erased = is_anothers and erased or ARGV[2]
redis.call('ZADD', forgotten, erased, user)

-- Takes away what isn't after the erasure. Gives the date that stays.
local function erase(key)
    local date = date_in(key)
    if date and tonumber(date) > tonumber(erased) then
        return date
    end
    redis.call('ZREM', key, user)
end
local seen_later, left_later = erase(seen), erase(left)
if not seen_later then
    redis.call('HDEL', ips, user)
end
redis.call('HDEL', profiles, user)

local number = redis.call('HGET', numbers, user)
if number then
    local kept
    if seen_later then
        kept = OWN + 1 + math.floor(seen_later / 86400000000) - ARGV[6]
    else
        redis.call('HDEL', numbers, user)
    end
    for day = OWN + 1, #KEYS do
        -- To write a bit would make the string.
        if day ~= kept and redis.call('GETBIT', KEYS[day], number) == 1 then
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

-- An erasure that is another's is news to this handle too.
publish(feed, trimmed, ARGV[9], 'f', is_anothers and '0' or ARGV[8], { { user, erased } })
-- What came after it is news to all, since it was in the feed as one change with what came before.
if seen_later or left_later then
    local ip = redis.call('HGET', ips, user) or ''
    local record = (seen_later or '') .. '\n' .. (left_later or '') .. '\n' .. ip
    publish(feed, trimmed, ARGV[9], 'r', '0', { { user, record } })
end
live_on(ARGV[7])
