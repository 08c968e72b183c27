-- Ends one message's reservation: frees its slot and corrects what was taken from the buckets.
-- It happens once: whoever finds no slot (settled before, or expired) changes nothing.
--
-- KEYS  1 tenant   2 user   3 slots   4 budget (account.lua)   5 idempotency key (only to give back)
-- ARGV  1 message id    2 requests to give back (0 or 1)
--       3 tokens to add to the levels (used - estimated; negative gives back)
--       4 tokens of output, '' when they teach nothing
--       5 cost in billionths of a dollar, '' when unknown: then what was reserved is charged,
--         'later' when the bill is on its way: then it is charged until that comes (billing.lua),
--         and nothing where it has come already
--       6 the message that the idempotency key belongs to instead, '' for none
-- Reply 1 when it ended the reservation, 0 when there was none
--
-- The learned p90 of output tokens moves up by 0.9 and down by 0.1 of a step, which stands still
-- where nine answers in ten are shorter. Steps are relative and shrink to 5 %.

local OUTPUT_QUANTILE, SMALLEST_STEP = 0.9, 0.05
local tenant_key, user_key, slots_key, budget_key, idempotency_key = unpack(KEYS)
local message_id, cost, key_owner = ARGV[1], ARGV[5], ARGV[6]

if idempotency_key then
  local known = redis.call('GET', idempotency_key)
  if known and string.sub(known, 17) == message_id then
    if key_owner == '' then
      redis.call('DEL', idempotency_key)
    else
      redis.call('SET', idempotency_key, string.sub(known, 1, 16) .. key_owner, 'KEEPTTL')
    end
  end
end
if redis.call('ZREM', slots_key, message_id) == 0 then return 0 end

local reserved = redis.call('HGET', budget_key, message_id)
if reserved then
  local charged, billed = tonumber(cost) or tonumber(reserved), 'billed:' .. message_id
  if cost == 'later' then
    if redis.call('HEXISTS', budget_key, billed) == 1 then
      charged = 0
    else
      redis.call('HSET', budget_key, 'unbilled:' .. message_id, reserved)
    end
  end
  local day, spent, all_reserved = read_budget(budget_key, server_day())
  write_budget(budget_key, day, spent + charged, all_reserved - reserved)
  redis.call('HDEL', budget_key, message_id, billed)
end

local requests_more, tokens_more, output = -ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local requests, tokens, at, p90, answers = read_tenant(tenant_key)
if at then
  if output then
    if answers == 0 then p90 = max(output, 1) end
    local step = max(SMALLEST_STEP, 1 / (answers + 2))
    local is_within = output <= p90 and 1 or 0
    p90, answers = max(1, p90 * (1 + step * (OUTPUT_QUANTILE - is_within))), answers + 1
  end
  -- A level may pass its burst (the answer was longer than thought): the debt drains first.
  write_tenant(tenant_key, max(0, requests + requests_more), max(0, tokens + tokens_more),
    at, p90, answers)
end
change_levels_of_user(user_key, requests_more, tokens_more)
return 1
