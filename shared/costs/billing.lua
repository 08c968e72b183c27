-- Charges what the calls of a message came to whose turn came to no end, on top of the day.
--
-- KEYS  1 budget (account.lua)
-- ARGV  1 message id   2 what the calls came to, in billionths of a dollar
--
-- A message that is still under way keeps the rest of what it has reserved; one that was cancelled
-- has been charged all of it (reservations.lua), which this corrects. Where this comes before that,
-- the mark 'billed:' keeps the rest from being charged.

local budget_key, id, bill = KEYS[1], ARGV[1], tonumber(ARGV[2])

local day, spent, reserved = read_budget(budget_key, server_day())
if not day then return 0 end
local held = tonumber(redis.call('HGET', budget_key, id))
local unbilled = redis.call('HGET', budget_key, 'unbilled:' .. id)

if held then
  local paid = min(held, bill)
  reserved = reserved - paid
  redis.call('HSET', budget_key, id, string.format('%.0f', held - paid), 'billed:' .. id, 1)
elseif unbilled then
  spent = max(0, spent - unbilled)
  redis.call('HDEL', budget_key, 'unbilled:' .. id)
end
write_budget(budget_key, day, spent + bill, reserved)
return 1
