-- Adds to one count of a user's record, after all of the record has decayed until now.
--
-- KEYS  1 user (account.lua)
-- ARGV  1 which count, by its name in RECORD   2 how much   3 half-life, seconds
-- Reply the new count, rounded

local now = server_time()
local user, bodies = read_user(KEYS[1], now)
decay(user, now, tonumber(ARGV[3]))
for i, name in ipairs(RECORD) do
  if name == ARGV[1] then
    user[COUNTS + i] = user[COUNTS + i] + tonumber(ARGV[2])
    write_user(KEYS[1], user, bodies)
    return floor(user[COUNTS + i] + 0.5)
  end
end
return redis.error_reply('no count is called ' .. ARGV[1])
