-- The verdict on one message, atomic. Nothing is consumed unless everything allows it.
--
-- All keys carry the hash tag {tenant}: one slot of a cluster. What lies under them: account.lua.
--
-- KEYS  1 tenant   2 user   3 slots   4 budget
--       5 key      body digest .. message id (only with an Idempotency-Key, or of a client that
--                  repeats by itself)
-- ARGV  1 rules    packed doubles: requests per second and burst, tokens per second and burst, the
--                  same four for the user, slots, half-life of the record, largest risk, then
--                  weight, half, free for each count of RECORD
--       2 now      seconds; '' for the server's clock (tests pass a time)
--       3 message id   4 body digest (16 bytes)
--       5 message  packed doubles: estimated tokens, seconds until the slot's lease ends, expected
--                  wait of the lane in seconds, seconds left until the deadline
--       6 sending: keyed, first (the key is noted and not read), again (read, and kept on)
--       7 seconds to keep the key
--       only of a tenant with a cap:
--       8 cap of the day   9 what the message may cost
--       10 the day of what the ledger booked   11 all of it, '' when it was not just read
--       12 what it booked a minute ago or before, '' when unknown
-- Reply existing  {1, message id, same body: 1|0}
--       unknown   {2}: what was spent today must be told in ARGV 11; nothing was decided
--       verdict   packed doubles: refused by (see VERDICTS), seconds to wait, risk, learned p90 of
--                 output tokens (-1: none), levels of the tenant's requests and tokens, and of the
--                 user's; then, of a refusal, the counts of RECORD
--
-- The limits are GCRA in its continuous-state form (ITU-T I.371, a leaky bucket as a meter): a
-- level rises by the message's weight and drains with time. It is the same algorithm as the
-- "theoretical arrival time" form, and what was reserved can be given back by subtracting it.
-- A user's risk shrinks its own rate and burst, and how far it may fill the tenant's bucket.
-- A message heavier than a shrunken burst, and not than the whole one, passes an empty bucket.
--
-- Redis runs it once for every message and one at a time: most have no cap and a user of whom
-- nothing is counted, and are spared what is only about those.

local ROUNDING = 1e-6
local BURST_FLOOR, BURST_RATIO = 20, 10
local MOST_BODIES = 8 -- how many recent bodies a repeat is recognised among
-- VERDICTS: tenant requests, tenant tokens, user requests, user tokens, slots, lane, budget
local LIMITS, WEIGHTS, WEIGHTS_AT = '<ddddddddddd', '<' .. string.rep('ddd', COUNTED), 89

local tenant_key, user_key, slots_key = KEYS[1], KEYS[2], KEYS[3]
local budget_key, idempotency_key = KEYS[4], KEYS[5]
local message_id, digest = ARGV[3], ARGV[4]
local tokens, lease, expected_wait, seconds_left = struct.unpack('<dddd', ARGV[5])

if idempotency_key and ARGV[6] ~= 'first' then
  local known = redis.call('GET', idempotency_key)
  if known then
    if ARGV[6] == 'again' then redis.call('EXPIRE', idempotency_key, ARGV[7]) end
    return { 1, string.sub(known, 17), string.sub(known, 1, 16) == digest and 1 or 0 }
  end
end

local now = tonumber(ARGV[2]) or server_time()

local cap, price, day, spent, reserved = tonumber(ARGV[8]), tonumber(ARGV[9]), nil, nil, nil
if cap then
  release_expired(slots_key, budget_key, now)
  day, spent, reserved =
    read_budget_told(budget_key, day_of(now), ARGV[10], ARGV[11], ARGV[12])
  if not day then return { 2 } end
end

local request_rate, request_burst, token_rate, token_burst, user_request_rate, user_request_burst,
  user_token_rate, user_token_burst, slots, half_life, largest_risk =
  struct.unpack(LIMITS, ARGV[1])

-- What is missing, or was packed by another version, starts anew.
local tenant_requests, tenant_tokens, last_at, p90, answers = read_tenant(tenant_key)
if not last_at then tenant_requests, tenant_tokens, last_at, p90, answers = 0, 0, 0, -1, 0 end
local user_requests, user_tokens, user_at, seen, born, fast, slow, counts, bodies =
  read_user(user_key, now)
-- A clock that went back (another server took over) must not hold levels where they are.
local tenant_idle, user_idle = max(0, now - last_at), max(0, now - user_at)
born = min(born, now)
fast, slow = decay(max(0, now - seen), half_life, fast, slow, counts)

-- Independent reasons add up as probabilities do: 1 - the product of what each leaves.
local function risk_of()
  local weights, trust = { struct.unpack(WEIGHTS, ARGV[1], WEIGHTS_AT) }, 1
  for i = 1, COUNTED do
    local weight, half, free = weights[3 * i - 2], weights[3 * i - 1], weights[3 * i]
    local excess = max(0, counts[i] - free)
    trust = trust * (1 - weight * excess / (excess + half))
  end
  return min(1 - trust, largest_risk)
end

local function count(which)
  counts = counts or { struct.unpack(COUNTS, NO_COUNTS) }
  counts[which] = counts[which] + 1
end

-- One bucket: its level now, and how long until `weight` fits.
local function bucket(level, drained, rate, burst, weight)
  level = max(0, level - drained)
  local excess = level + weight - max(burst, weight)
  return level, excess > ROUNDING and excess / rate or 0
end

local level_1, level_2, level_3, level_4, wait_1, wait_2, wait_3, wait_4
local function measure(share)
  level_1, wait_1 =
    bucket(tenant_requests, tenant_idle * request_rate, request_rate, request_burst * share, 1)
  level_2, wait_2 =
    bucket(tenant_tokens, tenant_idle * token_rate, token_rate, token_burst * share, tokens)
  local rate = user_request_rate * share
  level_3, wait_3 = bucket(user_requests, user_idle * rate, rate, user_request_burst * share, 1)
  rate = user_token_rate * share
  level_4, wait_4 = bucket(user_tokens, user_idle * rate, rate, user_token_burst * share, tokens)
end

local risk = counts and risk_of() or 0
measure(1 - risk)

-- The lease is taken first: taken already, this is the same call again (its reply was lost).
local is_new = redis.call('ZADD', slots_key, 'NX', now + lease, message_id) == 1
local wait_5, wait_6, wait_7 = 0, max(0, expected_wait - seconds_left), 0
-- Those that ran out are told apart where there are too many with them.
if redis.call('ZCARD', slots_key) > slots then
  local after_now = string.format('(%.17g', now)
  if redis.call('ZCOUNT', slots_key, after_now, '+inf') > slots then
    local first = redis.call('ZRANGE', slots_key, after_now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    wait_5 = min(max(tonumber(first[2]) - now, 0.001), 1)
  end
end
if cap and spent + reserved + price > cap then
  local midnight = (day_of(now) + 1) * DAY_SECONDS - now
  -- What messages in flight do not use of what they reserved comes back as they end.
  wait_7 = spent + price <= cap and min(1, midnight) or midnight
end

local refused_by, wait = 0, 0
if is_new then
  refused_by = wait_1 > 0 and 1 or wait_2 > 0 and 2 or wait_3 > 0 and 3 or wait_4 > 0 and 4
    or wait_5 > 0 and 5 or wait_6 > 0 and 6 or wait_7 > 0 and 7 or 0
end

if cap then
  if refused_by == 0 and is_new then
    reserved = reserved + price
    redis.call('HSET', budget_key, message_id, ARGV[9])
  end
  write_budget(budget_key, day, spent, reserved)
  redis.call('EXPIRE', budget_key, SLOTS_SECONDS)
end

if refused_by > 0 then
  redis.call('ZREM', slots_key, message_id)
  -- A full lane is our fault, a spent budget the tenant's: neither leaves a mark on the user. The
  -- wait is measured after the mark, so that it is true for whoever keeps it: from here on risk
  -- only falls.
  if refused_by < 6 then
    count(REFUSALS)
    write_user(user_key, user_requests, user_tokens, min(user_at, now), now, born, fast, slow,
      counts, bodies)
    write_tenant(tenant_key, tenant_requests, tenant_tokens, min(last_at, now), p90, answers)
    risk = risk_of()
    measure(1 - risk)
  end
  wait = max(wait_1, wait_2, wait_3, wait_4, wait_5, wait_6, wait_7)
elseif is_new then
  level_1, level_2, level_3, level_4 = level_1 + 1, level_2 + tokens, level_3 + 1, level_4 + tokens
  fast, slow = fast + 1, slow + 1
  local body = string.sub(digest, 1, 8)
  if string.find(bodies, body, 1, true) then
    count(REPEATS)
  else
    bodies = string.sub(body .. bodies, 1, 8 * MOST_BODIES)
  end
  -- The user's own baseline counts once it is a half-life old; a start-up phase is no burst.
  local age = now - born
  if fast >= BURST_FLOOR and age >= half_life then
    local baseline = slow / half_life / (1 - 0.5 ^ (age / half_life))
    if fast / FAST_HALF_LIFE > BURST_RATIO * baseline then count(BURSTS) end
  end
  write_tenant(tenant_key, level_1, level_2, now, p90, answers)
  write_user(user_key, level_3, level_4, now, now, born, fast, slow, counts, bodies)
  if floor(last_at) ~= floor(now) then -- once a second is enough
    release_expired(slots_key, budget_key, now)
    redis.call('EXPIRE', slots_key, SLOTS_SECONDS)
  end
  if idempotency_key then
    redis.call('SET', idempotency_key, digest .. message_id, 'EX', ARGV[7])
  end
end

local reply = struct.pack('<dddddddd', refused_by, wait, risk, p90,
  level_1, level_2, level_3, level_4)
if refused_by > 0 then
  return reply .. (counts and struct.pack(COUNTS, unpack(counts)) or NO_COUNTS)
end
return reply
