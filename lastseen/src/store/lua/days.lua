-- On which days a user was active: 1 for each on which they were, 0 for the others.
-- KEYS: seen, ip, left, forgotten, profile, feed, trimmed, number, and the days
-- ARGV: 1 user
local OWN = 8
local number = redis.call('HGET', KEYS[OWN], ARGV[1])
local days = {}
for day = OWN + 1, #KEYS do
    days[day - OWN] = number and redis.call('GETBIT', KEYS[day], number) or 0
end
return days
