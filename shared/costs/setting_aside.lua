-- Holds what a batch has set aside to what the ledger says of its lines, and renews its lease.
--
-- KEYS  1 slots   2 budget (account.lua)
-- ARGV  1 batch id   2 the lease in seconds
--       3 what is set aside for lines that nobody has begun   4 the same, and for those that have
--         begun and not ended; both in billionths of a dollar
--       5 day of what the ledger booked   6 all of it   7 a minute ago (see read_budget_told)
-- Reply -1 what was spent today is not known here: say what the ledger has, and ask again
--       else what is set aside now
--
-- A line that has begun took its part along if it has called anybody (reserving.lua): what stands
-- between the two figures is right. Below are lines that began twice, above are those that ended
-- without a call. A Redis that has forgotten knows of no call, and counts each line that has begun.

local slots_key, budget_key = KEYS[1], KEYS[2]
local id, least, most = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = server_time()

release_expired(slots_key, budget_key, now)
local day, spent, reserved =
  read_budget_told(budget_key, day_of(now), ARGV[5], ARGV[6], ARGV[7])
if not day then return -1 end
local held = tonumber(redis.call('HGET', budget_key, id))
local wanted = held or most
if wanted < least or wanted > most then wanted = least end

write_budget(budget_key, day, spent, reserved - (held or 0) + wanted)
if wanted == 0 then
  redis.call('HDEL', budget_key, id)
  redis.call('ZREM', slots_key, id)
  return 0
end
redis.call('HSET', budget_key, id, string.format('%.0f', wanted))
redis.call('EXPIRE', budget_key, SLOTS_SECONDS)
redis.call('ZADD', slots_key, now + ARGV[2], id)
redis.call('EXPIRE', slots_key, SLOTS_SECONDS)
return wanted
