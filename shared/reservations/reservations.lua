-- Ends one message's reservation: frees its slot and corrects what was taken from the buckets.
-- It happens once: whoever finds no slot (settled before, or expired) changes nothing.
--
-- KEYS  1 tenant   2 user (both packed as in admission.lua)   3 slots zset
--       4 budget (a hash, as there)   5 idempotency key (only to give back)
-- ARGV  1 message id    2 requests to give back (0 or 1)
--       3 tokens to add to the levels (used - estimated; negative gives back)
--       4 tokens of output, '' when they teach nothing   5, 6 seconds to keep tenant, user
--       7 cost in billionths of a dollar, '' when unknown: then what was reserved is charged,
--         'later' when the bill is on its way: then it is charged until that comes (billing.lua),
--         and nothing where it has come already
--       8 the message that the idempotency key belongs to instead, '' for none
-- Reply 1 when it ended the reservation, 0 when there was none
--
-- The learned p90 of output tokens moves up by 0.9 and down by 0.1 of a step, which stands still
-- where nine answers in ten are shorter. Steps are relative and shrink to 5 %.

local OUTPUT_QUANTILE, SMALLEST_STEP = 0.9, 0.05

local EPOCH, DAY_SECONDS = 1735689600, 86400

if KEYS[5] then
  local known = redis.call('GET', KEYS[5])
  if known and string.sub(known, 17) == ARGV[1] then
    if ARGV[8] == '' then
      redis.call('DEL', KEYS[5])
    else
      redis.call('SET', KEYS[5], string.sub(known, 1, 16) .. ARGV[8], 'KEEPTTL')
    end
  end
end
if redis.call('ZREM', KEYS[3], ARGV[1]) == 0 then return 0 end

local reserved = redis.call('HGET', KEYS[4], ARGV[1])
if reserved then
  local charged, billed = tonumber(ARGV[7]) or tonumber(reserved), 'billed:' .. ARGV[1]
  if ARGV[7] == 'later' then
    if redis.call('HEXISTS', KEYS[4], billed) == 1 then
      charged = 0
    else
      redis.call('HSET', KEYS[4], 'unbilled:' .. ARGV[1], reserved)
    end
  end
  local today = math.floor((redis.call('TIME')[1] - EPOCH) / DAY_SECONDS)
  local known = redis.call('HMGET', KEYS[4], 'day', 'spent', 'reserved')
  local spent = tonumber(known[1]) >= today and tonumber(known[2]) or 0
  redis.call('HSET', KEYS[4], 'day', math.max(today, tonumber(known[1])),
    'spent', string.format('%.0f', spent + charged),
    'reserved', string.format('%.0f', math.max(0, tonumber(known[3]) - tonumber(reserved))))
  redis.call('HDEL', KEYS[4], ARGV[1], billed)
end

local requests, tokens, output = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- A level may pass its burst (the answer was longer than thought): the debt drains first.
local function corrected(packed)
  local request_level, token_level = struct.unpack('<dd', packed)
  return struct.pack('<dd', math.max(0, request_level - requests), math.max(0, token_level + tokens))
    .. string.sub(packed, 17)
end

-- Tail of the tenant: its learned quantile, and from how many answers.
local function taught(packed)
  local quantile, answers = struct.unpack('<dd', packed, 25)
  if answers == 0 then quantile = math.max(output, 1) end
  local step = math.max(SMALLEST_STEP, 1 / (answers + 2))
  quantile = quantile * (1 + step * (OUTPUT_QUANTILE - (output <= quantile and 1 or 0)))
  return string.sub(packed, 1, 24) .. struct.pack('<dd', math.max(1, quantile), answers + 1)
end

local tenant, user = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if tenant then
  tenant = corrected(tenant)
  if output then tenant = taught(tenant) end
  redis.call('SET', KEYS[1], tenant, 'EX', ARGV[5])
end
if user then redis.call('SET', KEYS[2], corrected(user), 'EX', ARGV[6]) end
return 1
