-- Ends one message's reservation: frees its slot and corrects what was taken from the buckets.
-- It happens once: whoever finds no slot (settled before, or expired) changes nothing.
--
-- KEYS  1 tenant hash   2 user hash   3 slots zset   4 idempotency key (only to give back)
-- ARGV  1 message id    2 requests to give back (0 or 1)
--       3 tokens to add to the levels (used - estimated; negative gives back)
--       4 tokens of output, '' when they teach nothing   5 seconds to keep the tenant hash
-- Reply 1 when it ended the reservation, 0 when there was none
--
-- The learned p90 of output tokens moves up by 0.9 and down by 0.1 of a step, which stands still
-- where nine answers in ten are shorter. Steps are relative and shrink to 5 %.

local OUTPUT_QUANTILE, SMALLEST_STEP = 0.9, 0.05

if KEYS[4] then
  local known = redis.call('GET', KEYS[4])
  if known and string.sub(known, 17) == ARGV[1] then redis.call('DEL', KEYS[4]) end
end
if redis.call('ZREM', KEYS[3], ARGV[1]) == 0 then return 0 end

local requests, tokens = tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, 2 do
  -- A level may pass its burst (the answer was longer than thought): the debt drains first.
  local levels = redis.call('HMGET', KEYS[i], 'requests', 'tokens')
  if levels[1] and levels[2] then
    redis.call('HSET', KEYS[i],
      'requests', math.max(0, levels[1] - requests), 'tokens', math.max(0, levels[2] + tokens))
  end
end

local output = tonumber(ARGV[4])
if output then
  local learned = redis.call('HMGET', KEYS[1], 'output_p90', 'outputs')
  local quantile, seen = tonumber(learned[1]) or math.max(output, 1), tonumber(learned[2]) or 0
  local step = math.max(SMALLEST_STEP, 1 / (seen + 2))
  quantile = quantile * (1 + step * (OUTPUT_QUANTILE - (output <= quantile and 1 or 0)))
  redis.call('HSET', KEYS[1], 'output_p90', math.max(1, quantile), 'outputs', math.min(seen + 1, 1000))
  redis.call('EXPIRE', KEYS[1], ARGV[5])
end
return 1
