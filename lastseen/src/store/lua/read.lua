-- A user's date, address and sign-out; '' for none.
-- KEYS: seen, ip, left
-- ARGV: user
local seen, ips, left = unpack(KEYS)
local user = ARGV[1]
return {
    redis.call('ZSCORE', seen, user) or '',
    redis.call('HGET', ips, user) or '',
    redis.call('ZSCORE', left, user) or '',
}
