-- Raises what one message has reserved of its tenant's daily budget, before it calls somebody.
--
-- KEYS  1 slots   2 budget (account.lua)
-- ARGV  1 message id   2 the lease of its slot in seconds, where nobody knows of it any more
--       3 cap   4 what its calls may cost in all, both in billionths of a dollar
--       5 day of what the ledger booked   6 all of it   7 a minute ago (see read_budget_told)
--       8 the batch that has set something aside for it, '' for none   9 how much of that is its own
-- Reply -1 what was spent today is not known here: say what the ledger has, and ask again
--       -2 it would pass the cap;   else what is reserved for the message now

local slots_key, budget_key = KEYS[1], KEYS[2]
local id, lease, cap, wanted = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = server_time()

release_expired(slots_key, budget_key, now)
local held = tonumber(redis.call('HGET', budget_key, id)) or 0
if held >= wanted then return held end
local day, spent, reserved =
  read_budget_told(budget_key, day_of(now), ARGV[5], ARGV[6], ARGV[7])
if not day then return -1 end
-- The batch stops counting what the message counts from now on. What is left of it pays for what
-- the call may cost beyond that, and comes back with the bill.
local batch = ARGV[8]
local of_batch = batch ~= '' and tonumber(redis.call('HGET', budget_key, batch)) or 0
local taken = held == 0 and min(of_batch, tonumber(ARGV[9])) or 0
reserved = reserved - held + wanted - taken
if spent + reserved - (of_batch - taken) > cap then return -2 end

write_budget(budget_key, day, spent, reserved)
if taken > 0 then
  redis.call('HSET', budget_key, batch, string.format('%.0f', of_batch - taken))
end
redis.call('HSET', budget_key, id, string.format('%.0f', wanted))
redis.call('EXPIRE', budget_key, SLOTS_SECONDS)
-- Its end is what releases the money, and looks for it here.
redis.call('ZADD', slots_key, 'NX', now + lease, id)
redis.call('EXPIRE', slots_key, SLOTS_SECONDS)
return wanted
