-- Charges what the calls of a message came to whose turn came to no end, on top of the day.
--
-- KEYS  1 budget (a hash, as in admission.lua)
-- ARGV  1 message id   2 what the calls came to, in billionths of a dollar
--
-- A message that is still under way keeps the rest of what it has reserved; one that was cancelled
-- has been charged all of it (reservations.lua), which this corrects. Where this comes before that,
-- the mark 'billed:' keeps the rest from being charged.

local EPOCH, DAY_SECONDS = 1735689600, 86400
local id, bill = ARGV[1], tonumber(ARGV[2])

local known = redis.call('HMGET', KEYS[1], 'day', 'spent', 'reserved', id, 'unbilled:' .. id)
if not known[1] then return 0 end
local today = math.floor((redis.call('TIME')[1] - EPOCH) / DAY_SECONDS)
local spent = tonumber(known[1]) >= today and tonumber(known[2]) or 0
local reserved, held = tonumber(known[3]), tonumber(known[4])

if held then
  local paid = math.min(held, bill)
  reserved = math.max(0, reserved - paid)
  redis.call('HSET', KEYS[1], id, string.format('%.0f', held - paid), 'billed:' .. id, 1)
elseif known[5] then
  spent = math.max(0, spent - known[5])
  redis.call('HDEL', KEYS[1], 'unbilled:' .. id)
end
redis.call('HSET', KEYS[1], 'day', math.max(today, tonumber(known[1])),
  'spent', string.format('%.0f', spent + bill), 'reserved', string.format('%.0f', reserved))
return 1
