-- A page of a group's records: by date those seen, then by sign-out those who have left since and weren't seen.
-- KEYS: seen, ip, left, forgotten
-- ARGV: 1 's' or 'l': which of the two, 2 from which score on, 3 since, 4 about how many, 5 '1' for the erasures too
-- Returns which of the two and from which score on the next page is, '' and '' after the last; the erasures, each a user and
-- a date; and of each record the user, date, address and sign-out, '' for none.
local seen, ips, left, forgotten = unpack(KEYS)
local since, count = tonumber(ARGV[3]), tonumber(ARGV[4])
local records = {}

-- Adds what is known of these users, or of those among them who weren't seen since.
local function add(users, is_of_left)
    local STEP = 1000
    for first = 1, #users, STEP do
        local last = math.min(first + STEP - 1, #users)
        local seen_at = redis.call('ZMSCORE', seen, unpack(users, first, last))
        local ip = redis.call('HMGET', ips, unpack(users, first, last))
        local left_at = redis.call('ZMSCORE', left, unpack(users, first, last))
        for index = 1, last - first + 1 do
            local at = seen_at[index]
            if not is_of_left or not at or tonumber(at) < since then
                records[#records + 1] = users[first + index - 1]
                records[#records + 1] = at or ''
                records[#records + 1] = ip[index] or ''
                records[#records + 1] = left_at[index] or ''
            end
        end
    end
end

-- Some of the users from a score on, and where to go on.
local function some(key, from)
    local found = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
    local users, last = {}, nil
    if #found >= 2 * count then
        last = found[#found]
    end
    for index = 1, #found, 2 do
        if found[index + 1] ~= last then
            users[#users + 1] = found[index]
        end
    end
    if not last then
        return users, nil
    end
    -- Of those with the last date all come now, however many, so that the next page begins after it: nobody is left out
    -- when others come and go in between.
    for _, user in ipairs(redis.call('ZRANGEBYSCORE', key, last, last)) do
        users[#users + 1] = user
    end
    return users, '(' .. last
end

local part, from = ARGV[1], ARGV[2]
if part == 's' then
    local users, next = some(seen, from)
    add(users, false)
    if next then
        from = next
    else
        part, from = 'l', ARGV[3]
    end
end
if part == 'l' then
    local users, next = some(left, from)
    add(users, true)
    part, from = next and 'l' or '', next or ''
end
local erased = ARGV[5] == '1' and redis.call('ZRANGE', forgotten, 0, -1, 'WITHSCORES') or {}
return { part, from, erased, records }
