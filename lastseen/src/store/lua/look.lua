-- How the store was made: the version of its layout and the number of groups, '' and '' where it hasn't been; and which of
-- the commands that are needed the user may not run.
-- KEYS: meta, and those of a group: seen, ip, left, forgotten, profile, feed, trimmed, number
local meta, seen, ips, left, forgotten, profiles, feed, trimmed, numbers = unpack(KEYS)
local needed = {
    { 'hset', meta, 'f', 'v' }, { 'hget', meta, 'f' },
    { 'zadd', seen, '1', 'm' }, { 'zrem', left, 'm' }, { 'zscore', seen, 'm' }, { 'zmscore', seen, 'm' },
    { 'zrange', forgotten, '0', '1' }, { 'zrangebyscore', seen, '1', '2' },
    { 'zremrangebyscore', forgotten, '1', '2' }, { 'hdel', ips, 'f' }, { 'hmget', profiles, 'f' },
    { 'xadd', feed, '*', 'f', 'v' }, { 'xdel', feed, '0-1' }, { 'xrange', feed, '-', '+' },
    { 'xrevrange', feed, '+', '-' }, { 'xtrim', feed, 'MAXLEN', '1' }, { 'xinfo', 'STREAM', feed },
    { 'set', trimmed, 'v' }, { 'get', trimmed }, { 'mget', trimmed }, { 'setbit', trimmed, '0', '1' },
    { 'getbit', trimmed, '0' }, { 'hincrby', numbers, 'f', '1' }, { 'hmget', numbers, 'f' }, { 'pexpire', feed, '1' }, { 'time' },
    { 'hscan', ips, '0' }, { 'del', trimmed },
}
local denied = {}
for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
        denied[#denied + 1] = command[1]
    end
end
if #denied > 0 then
    return { '', '', denied }
end
return { redis.call('HGET', meta, 'layout') or '', redis.call('HGET', meta, 'groups') or '', denied }
