-- Merges records into a group as `Record::merge` does, and notes who was active on which day. Dates are microseconds that a double holds exactly.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number, and the records' days
-- ARGV: 1 the latest date that isn't void by the writer's clock, 2 the earliest forgetting that still holds, 3 how long a
--       record is kept and 4 the writer's time, in microseconds, 5 how long the keys are kept, in milliseconds, 6 origin, 7 length of the feed,
--       from 8 on how long each day is kept, in milliseconds; and then for each record: user, date, address, sign-out, which
--       of the days; '' for none
local seen, ips, left, forgotten, profiles, feed, trimmed, numbers = unpack(KEYS)
local limit, oldest = not_void(ARGV[1], ARGV[4]), tonumber(ARGV[2])
local FIRST, WIDTH = #KEYS, 5

local users = {}
for index = FIRST, #ARGV, WIDTH do
    users[#users + 1] = ARGV[index]
end

local function append(list, a, b)
    list[#list + 1] = a
    list[#list + 1] = b
end

local function all(command, key, values)
    if #values > 0 then
        redis.call(command, key, unpack(values))
    end
end

-- Takes away what is kept no longer, some of it at a time.
local function sweep()
    -- A clock that is ahead must take away nothing, so of the writer's and the server's the one that is behind counts.
    local now = redis.call('TIME')
    now = math.min(tonumber(ARGV[4]), now[1] * 1000000 + now[2])
    local kept_from = string.format('(%.0f', now - ARGV[3])
    local MANY = 1000
    local stale = redis.call('ZRANGEBYSCORE', seen, '-inf', kept_from, 'LIMIT', 0, MANY)
    all('ZREM', seen, stale)
    all('HDEL', ips, stale)
    all('HDEL', profiles, stale)
    all('HDEL', numbers, stale)
    -- A sign-out goes with its record. Of those as old most are of users seen since, so each time others are looked at.
    local old = redis.call('ZCOUNT', left, '-inf', kept_from)
    if old > 0 then
        local from = now % old
        local alone = {}
        local looked_at = redis.call('ZRANGE', left, from, math.min(from + MANY, old) - 1)
        for index, date in ipairs(redis.call('ZMSCORE', seen, unpack(looked_at))) do
            if not date then
                append(alone, looked_at[index])
            end
        end
        all('ZREM', left, alone)
    end
    redis.call('ZREMRANGEBYSCORE', forgotten, '-inf', string.format('(%.0f', now - (ARGV[4] - oldest)))
end
if is_due(seen, ARGV[5]) then
    sweep()
end

local function dates(key)
    return redis.call('ZMSCORE', key, unpack(users))
end
local seen_before, left_before, forgotten_at = dates(seen), dates(left), dates(forgotten)
local number_of = redis.call('HMGET', numbers, unpack(users))

local function day_of(date)
    return math.floor(date / 86400000000)
end

-- Notes that a user was active on a day. No user's id is empty: there the last number is that was given.
local function note(user, number, day)
    if not number then
        number = redis.call('HINCRBY', numbers, '', 1)
        redis.call('HSET', numbers, user, number)
    end
    if redis.call('SETBIT', KEYS[OWN + day], number, 1) == 0 then
        redis.call('PEXPIRE', KEYS[OWN + day], ARGV[7 + day])
    end
end

-- The date, unless it comes from a clock that was wrong or was erased.
local function plausible(date, erased)
    date = tonumber(date)
    if date and date <= limit and not (erased and date <= erased) then
        return date
    end
end

-- Addresses are 0, 4 or 16 bytes, and so ordered. Lua compares by the server's locale, so it isn't asked.
local function is_greater(ip, other)
    if #ip ~= #other then
        return #ip > #other
    end
    for byte = 1, #ip do
        local mine, others = string.byte(ip, byte), string.byte(other, byte)
        if mine ~= others then
            return mine > others
        end
    end
    return false
end

local changes = {}
local put_seen, put_ips, put_left = {}, {}, {}
local cut_seen, cut_ips, cut_left = {}, {}, {}
for number, user in ipairs(users) do
    local at = FIRST + (number - 1) * WIDTH
    local date, ip, left_at = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local erased = tonumber(forgotten_at[number])
    if erased and (erased < oldest or erased > limit) then
        erased = nil
    end
    local old_seen, new_seen = plausible(seen_before[number]), plausible(date, erased)
    local old_left, new_left = plausible(left_before[number]), plausible(left_at, erased)
    local old_ip

    -- Of the day of what is stored a user who has a number is noted already.
    local day, user_number = tonumber(ARGV[at + 4]), number_of[number]
    if day and new_seen and not (user_number and old_seen and day_of(old_seen) == day_of(new_seen)) then
        note(user, user_number, day)
    end

    local is_later = new_seen and (not old_seen or new_seen > old_seen)
    if new_seen and new_seen == old_seen then
        old_ip = redis.call('HGET', ips, user) or ''
        is_later = is_greater(ip, old_ip)
    end
    local has_changed = false
    if is_later then
        has_changed = true
        append(put_seen, date, user)
        if ip == '' then
            append(cut_ips, user)
        else
            append(put_ips, user, ip)
        end
    elseif old_seen then
        date, ip = seen_before[number], nil
    else
        date, ip = '', ''
        if seen_before[number] then
            has_changed = true
            append(cut_seen, user)
            append(cut_ips, user)
        end
    end

    if new_left and (not old_left or new_left > old_left) then
        has_changed = true
        append(put_left, left_at, user)
    elseif old_left then
        left_at = left_before[number]
    else
        left_at = ''
        if left_before[number] then
            has_changed = true
            append(cut_left, user)
        end
    end

    if has_changed then
        ip = ip or old_ip or redis.call('HGET', ips, user) or ''
        changes[#changes + 1] = { user, date .. '\n' .. left_at .. '\n' .. ip }
    end
end

all('ZADD', seen, put_seen)
all('HSET', ips, put_ips)
all('ZADD', left, put_left)
all('ZREM', seen, cut_seen)
all('HDEL', ips, cut_ips)
all('ZREM', left, cut_left)
if #changes > 0 then
    publish(feed, trimmed, ARGV[7], 'r', ARGV[6], changes)
end

live_on(ARGV[5])
