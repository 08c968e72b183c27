-- Charges what the calls of a message came to whose turn came to no end, on top of the day.
--
-- KEYS  1 budget (account.lua)
-- ARGV  1 message id   2 what the calls came to, in billionths of a dollar
--
-- A message that is still under way keeps the rest of what it has reserved; one that was cancelled
-- has been charged all of it (reservations.lua), which this corrects. Where this comes before that,
-- the mark 'billed:' keeps the rest from being charged.

local budget_key, id, bill = KEYS[1], ARGV[1], tonumber(ARGV[2])

local budget = read_budget(budget_key, day_of(server_time()))
if not budget then return 0 end
local held = tonumber(redis.call('HGET', budget_key, id))
local unbilled = redis.call('HGET', budget_key, 'unbilled:' .. id)

if held then
  local paid = min(held, bill)
  budget.reserved = budget.reserved - paid
  redis.call('HSET', budget_key, id, string.format('%.0f', held - paid), 'billed:' .. id, 1)
elseif unbilled then
  budget.spent = max(0, budget.spent - unbilled)
  redis.call('HDEL', budget_key, 'unbilled:' .. id)
end
budget.spent = budget.spent + bill
write_budget(budget_key, budget)
return 1
