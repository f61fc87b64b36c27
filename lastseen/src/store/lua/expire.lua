-- Takes away some of what a group keeps no longer.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number, and the days that are kept no longer
-- ARGV: 1 the earliest date whose address is kept and 2 the earliest that is kept at all, in microseconds, '' for all;
--       3 the caller's time, in microseconds, 4 which part, 5 where in it to go on
-- Returns the part and the place to go on with; '' and '' at the end.
local seen, ips, left, forgotten, profiles, feed, trimmed, numbers = unpack(KEYS)
local part, place = ARGV[4], ARGV[5]
local OWN, MANY = 8, 1000

-- A clock that is ahead must take away nothing, so of the caller's and the server's the one that is behind counts.
local time = redis.call('TIME')
local ahead = math.max(0, ARGV[3] - (time[1] * 1000000 + time[2]))
local function since(date)
    return tonumber(date) and tonumber(date) - ahead
end
local addresses, records = since(ARGV[1]), since(ARGV[2])

local function all(command, key, values)
    if #values > 0 then
        redis.call(command, key, unpack(values))
    end
end

-- Those users before the date of `records` in a sorted set, from a place on, whom the other doesn't hold at or after it.
local function old(key, other)
    local users = redis.call('ZRANGEBYSCORE', key, '-inf', string.format('(%.0f', records), 'LIMIT', place, MANY)
    local gone = {}
    if #users > 0 then
        for index, date in ipairs(redis.call('ZMSCORE', other, unpack(users))) do
            if not date or tonumber(date) < records then
                gone[#gone + 1] = users[index]
            end
        end
    end
    local is_end = #users < MANY
    place = string.format('%.0f', place + #users - #gone)
    return gone, is_end
end

local function erase(users)
    all('ZREM', seen, users)
    all('HDEL', ips, users)
    all('ZREM', left, users)
    all('HDEL', profiles, users)
    all('HDEL', numbers, users)
end

-- Takes out of a part of the feed whose users are gone, and lets go of its beginning up to the last activity before the date:
-- entries have dates and addresses in them.
local function clean_feed(before)
    local entries = redis.call('XRANGE', feed, place, '+', 'COUNT', MANY)
    if #entries == 0 then
        return true
    end
    local users, told = {}, {}
    for index, entry in ipairs(entries) do
        local kind, user, rest = string.match(entry[2][2], '^(.)[^\n]*\n([^\n]*)\n(.*)$')
        -- What somebody else has written tells of nobody.
        users[index], told[index] = user or '', { kind = kind, rest = rest }
    end
    local seen_at = redis.call('ZMSCORE', seen, unpack(users))
    local left_at = redis.call('ZMSCORE', left, unpack(users))
    local profile = redis.call('HMGET', profiles, unpack(users))

    local gone, last = {}, nil
    for index, entry in ipairs(entries) do
        local kind = told[index].kind
        if kind == 'p' and not profile[index] or kind == 'r' and not (seen_at[index] or left_at[index]) then
            gone[#gone + 1] = entry[1]
        end
        if kind == 'r' and part == 'feed' then
            local at, left = string.match(told[index].rest, '^([^\n]*)\n([^\n]*)\n')
            if math.max(tonumber(at) or before - 1, tonumber(left) or before - 1) < before then
                last = entry[1]
            else
                part = 'rest'
            end
        end
    end
    all('XDEL', feed, gone)
    if last then
        -- Whoever has read less than up to here has missed something.
        local era, number = string.match(last, '^(%d+)-(%d+)$')
        local first = era .. '-' .. string.format('%.0f', number + 1)
        redis.call('XTRIM', feed, 'MINID', first)
        redis.call('SET', trimmed, first, 'KEEPTTL')
    end
    place = '(' .. entries[#entries][1]
    return #entries < MANY
end

-- The part after one that has come to its end.
local function go_on(to, from)
    part, place = to, from
end

if part == '' then
    for day = OWN + 1, #KEYS do
        redis.call('DEL', KEYS[day])
    end
    go_on(records and 'seen' or 'ip', '0')
end
if part == 'seen' then
    local gone, is_end = old(seen, left)
    erase(gone)
    if is_end then
        go_on('left', '0')
    end
elseif part == 'left' then
    local gone, is_end = old(left, seen)
    erase(gone)
    if is_end then
        go_on('ip', '0')
    end
elseif part == 'ip' then
    local found = addresses and redis.call('HSCAN', ips, place, 'COUNT', MANY) or { '0', {} }
    local users, cut = {}, {}
    for index = 1, #found[2], 2 do
        users[#users + 1] = found[2][index]
    end
    for first = 1, #users, MANY do
        local some = { unpack(users, first, math.min(first + MANY - 1, #users)) }
        for index, date in ipairs(redis.call('ZMSCORE', seen, unpack(some))) do
            if not date or tonumber(date) < addresses then
                cut[#cut + 1] = some[index]
            end
        end
    end
    for first = 1, #cut, MANY do
        redis.call('HDEL', ips, unpack(cut, first, math.min(first + MANY - 1, #cut)))
    end
    place = found[1]
    if place == '0' then
        go_on('feed', '-')
    end
elseif clean_feed(math.max(addresses or -math.huge, records or -math.huge)) then
    go_on('', '')
end
return { part, place }
