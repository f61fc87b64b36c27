-- Appends to a group's feed and caps it, and has the group live on. What writes has this before it.
--
-- A position is <era>-<number>. The era is the server's time when the feed began, so a feed that was begun anew is told
-- from the one before it; the number counts up by one, whatever the clock does.

-- When the feed began.
local function era(feed)
    local info = redis.pcall('XINFO', 'STREAM', feed)
    if info.err then
        local now = redis.call('TIME')
        return string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
    end
    for field = 1, #info, 2 do
        if info[field] == 'last-generated-id' then
            return string.match(info[field + 1], '^%d+')
        end
    end
end

-- Each change is its kind and its origin, the user, and what became of them, a line each. No user id has a line break.
local function publish(feed, trimmed, length, kind, origin, changes)
    local position = era(feed) .. '-*'
    for _, change in ipairs(changes) do
        redis.call('XADD', feed, position, 'c', kind .. origin .. '\n' .. change[1] .. '\n' .. change[2])
    end
    -- Whoever has read less than up to here has missed something. Gaps alone don't tell: an erasure leaves some too.
    if redis.call('XTRIM', feed, 'MAXLEN', '~', length) > 0 then
        redis.call('SET', trimmed, redis.call('XRANGE', feed, '-', '+', 'COUNT', 1)[1][1])
    end
end

-- The latest date that isn't void, by the later of the caller's clock and the server's: what is written may be late.
local function not_void(limit, now)
    local time = redis.call('TIME')
    return limit + math.max(0, time[1] * 1000000 + time[2] - now)
end

-- Whether it is an hour since a key was last made to live on, or it never was.
local function is_due(key, lifetime)
    return redis.call('PTTL', key) < lifetime - 3600000
end

-- How many of the keys are the group's own. Behind them are days, whose end is fixed.
local OWN = 8

-- A group that nobody writes to any more goes as a whole.
local function live_on(lifetime)
    for index = 1, OWN do
        if is_due(KEYS[index], lifetime) then
            redis.call('PEXPIRE', KEYS[index], lifetime)
        end
    end
end
