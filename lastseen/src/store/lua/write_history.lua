-- Merges spans by maximum, keeps the most ever, and lets go of what is no longer kept.
-- KEYS: most, and of each resolution: at, counts
-- ARGV: 1 the writer's time, 2 the most or '', 3 when; then of each resolution how long it is kept; then of each span: the
--       number of its resolution, at, online, peak
local RESOLUTIONS = (#KEYS - 1) / 2
-- A clock that is ahead must take away nothing, so of the writer's and the server's the one that is behind counts.
local now = redis.call('TIME')
now = math.min(tonumber(ARGV[1]), now[1] * 1000000 + now[2])

for index = 4 + RESOLUTIONS, #ARGV, 4 do
    local resolution, at, online, peak = unpack(ARGV, index, index + 3)
    local moments, counts = KEYS[2 * resolution], KEYS[2 * resolution + 1]
    local old_online, old_peak = string.match(redis.call('HGET', counts, at) or '0 0', '^(%d+) (%d+)$')
    online, peak = math.max(online, old_online), math.max(peak, old_peak)
    redis.call('HSET', counts, at, string.format('%.0f %.0f', online, peak))
    redis.call('ZADD', moments, at, at)
end

for resolution = 1, RESOLUTIONS do
    local moments, counts = KEYS[2 * resolution], KEYS[2 * resolution + 1]
    local oldest = string.format('(%.0f', now - ARGV[3 + resolution])
    -- As many as Lua's stack has room for; the next time takes on.
    local stale = redis.call('ZRANGEBYSCORE', moments, '-inf', oldest, 'LIMIT', 0, 1000)
    if #stale > 0 then
        redis.call('ZREM', moments, unpack(stale))
        redis.call('HDEL', counts, unpack(stale))
    end
end

local most, at = tonumber(ARGV[2]), ARGV[3]
if most then
    local before = redis.call('HMGET', KEYS[1], 'online', 'at')
    local online = tonumber(before[1])
    if not online or most > online or (most == online and tonumber(at) < tonumber(before[2])) then
        redis.call('HSET', KEYS[1], 'online', ARGV[2], 'at', at)
    end
end
