-- Adds to one count of a user's record, after all of the record has decayed until now.
--
-- KEYS  1 user (account.lua)
-- ARGV  1 which count, by its name in RECORD   2 how much   3 half-life, seconds
-- Reply the new count, rounded

local now = server_time()
local requests, tokens, at, seen, born, fast, slow, counts, bodies = read_user(KEYS[1], now)
fast, slow = decay(max(0, now - seen), tonumber(ARGV[3]), fast, slow, counts)
for i, name in ipairs(RECORD) do
  if name == ARGV[1] then
    counts = counts or { struct.unpack(COUNTS, NO_COUNTS) }
    counts[i] = counts[i] + tonumber(ARGV[2])
    write_user(KEYS[1], requests, tokens, at, now, born, fast, slow, counts, bodies)
    return floor(counts[i] + 0.5)
  end
end
return redis.error_reply('no count is called ' .. ARGV[1])
