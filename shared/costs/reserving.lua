-- Raises what one message has reserved of its tenant's daily budget, before it calls somebody.
--
-- KEYS  1 slots zset   2 budget (a hash, as in admission.lua)
-- ARGV  1 message id   2 the lease of its slot in seconds, where nobody knows of it any more
--       3 cap   4 what its calls may cost in all   5 day of:   6 booked, or ''   7 settled, or ''
--         (3 to 7 as there, amounts in billionths of a dollar)
-- Reply -1 what was spent today is not known here: say what the ledger has, and ask again
--       -2 it would pass the cap;   else what is reserved for the message now

local EPOCH, DAY_SECONDS, KEEP_SECONDS = 1735689600, 86400, 691200

local slots_key, budget_key = KEYS[1], KEYS[2]
local id, lease, cap, wanted = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local time = redis.call('TIME')
local now = time[1] - EPOCH + time[2] / 1000000
local today = math.floor(now / DAY_SECONDS)

-- Leases that ran out reserve nothing more.
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', slots_key, '-inf', now)) do
  local amount = redis.call('HGET', budget_key, ended)
  if amount then
    local left = redis.call('HGET', budget_key, 'reserved') - amount
    redis.call('HSET', budget_key, 'reserved', string.format('%.0f', math.max(0, left)))
    redis.call('HDEL', budget_key, ended, 'billed:' .. ended)
  end
  redis.call('ZREM', slots_key, ended)
end

local known = redis.call('HMGET', budget_key, 'day', 'spent', 'reserved', id)
local spent, reserved, held = 0, tonumber(known[3]) or 0, tonumber(known[4]) or 0
if held >= wanted then return held end
local is_told = tonumber(ARGV[5]) == today
if not known[1] then
  if not is_told or ARGV[6] == '' then return -1 end
  spent = tonumber(ARGV[6])
elseif tonumber(known[1]) >= today then
  spent = tonumber(known[2])
  -- Settlements that Redis was away for.
  if is_told and ARGV[7] ~= '' then spent = math.max(spent, tonumber(ARGV[7])) end
end
reserved = reserved - held + wanted
if spent + reserved > cap then return -2 end

redis.call('HSET', budget_key, 'day', today, 'spent', string.format('%.0f', spent),
  'reserved', string.format('%.0f', reserved), id, string.format('%.0f', wanted))
redis.call('EXPIRE', budget_key, KEEP_SECONDS)
-- Its end is what releases the money, and looks for it here.
redis.call('ZADD', slots_key, 'NX', now + lease, id)
redis.call('EXPIRE', slots_key, KEEP_SECONDS)
return wanted
