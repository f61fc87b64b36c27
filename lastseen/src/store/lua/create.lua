-- Notes how the store was made, where it hasn't been.
-- KEYS: meta
-- ARGV: 1 the version of the layout, 2 the number of groups
if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'layout', ARGV[1], 'groups', ARGV[2])
end
