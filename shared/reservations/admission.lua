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
--       3 message id   4 estimated tokens   5 body digest (16 bytes)
--       6 seconds until the slot's lease ends   7 expected wait of the lane, seconds
--       8 seconds left until the deadline       9 seconds to keep the key
--       10 cap of the day, '' for none         11 what the message may cost
--       12 the day of what the ledger booked   13 all of it, '' when it was not just read
--       14 what it booked a minute ago or before, '' when unknown
--       15 sending: keyed, first (the key is noted and not read), again (read, and kept on)
-- Reply existing  {1, message id, same body: 1|0}
--       unknown   {2}: what was spent today must be told in ARGV 13; nothing was decided
--       verdict   {0, refused by: see VERDICTS, wait µs, risk ppm, the counts of RECORD, then
--                  remaining and ms until full for: tenant's requests, tenant's tokens, user's
--                  requests, user's tokens; learned p90 of output tokens}
--
-- The limits are GCRA in its continuous-state form (ITU-T I.371, a leaky bucket as a meter): a
-- level rises by the message's weight and drains with time. It is the same algorithm as the
-- "theoretical arrival time" form, and what was reserved can be given back by subtracting it.
-- A user's risk shrinks its own rate and burst, and how far it may fill the tenant's bucket.
-- A message heavier than a shrunken burst, and not than the whole one, passes an empty bucket.

local ROUNDING = 1e-6
local BURST_FLOOR, BURST_RATIO = 20, 10
local MOST_BODIES = 8 -- how many recent bodies a repeat is recognised among
local VERDICTS = 7 -- tenant requests, tenant tokens, user requests, user tokens, slots, lane, budget
local RULES = '<ddddddddddddddddddddddddddddd'

local tenant_key, user_key, slots_key, budget_key, idempotency_key = unpack(KEYS)
local message_id, digest = ARGV[3], ARGV[5]
local tokens, lease, expected_wait, seconds_left =
  tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

if idempotency_key and ARGV[15] ~= 'first' then
  local known = redis.call('GET', idempotency_key)
  if known then
    if ARGV[15] == 'again' then redis.call('EXPIRE', idempotency_key, ARGV[9]) end
    return { 1, string.sub(known, 17), string.sub(known, 1, 16) == digest and 1 or 0 }
  end
end

local now = tonumber(ARGV[2]) or server_time()

local cap, price, today = tonumber(ARGV[10]), tonumber(ARGV[11]), day_of(now)
local day, spent, reserved
if cap then
  release_expired(slots_key, budget_key, now)
  day, spent, reserved = read_budget_told(budget_key, today, ARGV[12], ARGV[13], ARGV[14])
  if not day then return { 2 } end
end

local rules = { struct.unpack(RULES, ARGV[1]) }
local slots, half_life, largest_risk = rules[9], rules[10], rules[11]

-- What is missing, or was packed by another version, starts anew.
local tenant_requests, tenant_tokens, tenant_at, p90, answers = read_tenant(tenant_key)
if not tenant_at then tenant_requests, tenant_tokens, tenant_at, p90, answers = 0, 0, 0, -1, 0 end
local user, bodies = read_user(user_key, now)
local last_at = tenant_at
-- A clock that went back (another server took over) must not hold levels where they are.
tenant_at, user[AT], user[BORN] = min(tenant_at, now), min(user[AT], now), min(user[BORN], now)
decay(user, now, half_life)

-- Independent reasons add up as probabilities do: 1 - the product of what each leaves.
local function risk_of()
  local trust = 1
  for i = 1, COUNTED do
    local weight, half, free = rules[9 + 3 * i], rules[10 + 3 * i], rules[11 + 3 * i]
    local excess = max(0, user[COUNTS + i] - free)
    trust = trust * (1 - weight * excess / (excess + half))
  end
  return min(1 - trust, largest_risk)
end

-- One bucket: its level now, and how long until `weight` fits.
local function bucket(level, at, rate, burst, weight)
  level = max(0, level - (now - at) * rate)
  local excess = level + weight - max(burst, weight)
  return level, excess > ROUNDING and excess / rate or 0
end

local levels, waits = {}, {}
local function measure(share)
  levels[1], waits[1] = bucket(tenant_requests, tenant_at, rules[1], rules[2] * share, 1)
  levels[2], waits[2] = bucket(tenant_tokens, tenant_at, rules[3], rules[4] * share, tokens)
  levels[3], waits[3] = bucket(user[REQUESTS], user[AT], rules[5] * share, rules[6] * share, 1)
  levels[4], waits[4] = bucket(user[TOKENS], user[AT], rules[7] * share, rules[8] * share, tokens)
end

local risk = risk_of()
measure(1 - risk)

local after_now = string.format('(%.17g', now)
-- The lease is taken first: taken already, this is the same call again (its reply was lost).
local is_new = redis.call('ZADD', slots_key, 'NX', now + lease, message_id) == 1
waits[5], waits[6] = 0, max(0, expected_wait - seconds_left)
if redis.call('ZCOUNT', slots_key, after_now, '+inf') > slots then
  local first = redis.call('ZRANGE', slots_key, after_now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  waits[5] = min(max(tonumber(first[2]) - now, 0.001), 1)
end
waits[7] = 0
if cap and spent + reserved + price > cap then
  local midnight = (today + 1) * DAY_SECONDS - now
  -- What messages in flight do not use of what they reserved comes back as they end.
  waits[7] = spent + price <= cap and min(1, midnight) or midnight
end

local refused_by, wait = 0, 0
for i = 1, VERDICTS do
  if waits[i] > 0 and refused_by == 0 then refused_by = i end
end
if not is_new then refused_by = 0 end

if cap then
  if refused_by == 0 and is_new then
    reserved = reserved + price
    redis.call('HSET', budget_key, message_id, ARGV[11])
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
    user[REFUSALS] = user[REFUSALS] + 1
    write_user(user_key, user, bodies)
    write_tenant(tenant_key, tenant_requests, tenant_tokens, tenant_at, p90, answers)
    risk = risk_of()
    measure(1 - risk)
  end
  for i = 1, VERDICTS do wait = max(wait, waits[i]) end
elseif is_new then
  for i = 1, 3, 2 do
    levels[i], levels[i + 1] = levels[i] + 1, levels[i + 1] + tokens
  end
  user[REQUESTS], user[TOKENS], user[AT] = levels[3], levels[4], now
  user[FAST], user[SLOW] = user[FAST] + 1, user[SLOW] + 1
  local body = string.sub(digest, 1, 8)
  if string.find(bodies, body, 1, true) then
    user[REPEATS] = user[REPEATS] + 1
  else
    bodies = string.sub(body .. bodies, 1, 8 * MOST_BODIES)
  end
  -- The user's own baseline counts once it is a half-life old; a start-up phase is no burst.
  local age = now - user[BORN]
  if user[FAST] >= BURST_FLOOR and age >= half_life then
    local baseline = user[SLOW] / half_life / (1 - 0.5 ^ (age / half_life))
    if user[FAST] / FAST_HALF_LIFE > BURST_RATIO * baseline then
      user[BURSTS] = user[BURSTS] + 1
    end
  end
  write_tenant(tenant_key, levels[1], levels[2], now, p90, answers)
  write_user(user_key, user, bodies)
  if floor(last_at) ~= floor(now) then -- once a second is enough
    release_expired(slots_key, budget_key, now)
    redis.call('EXPIRE', slots_key, SLOTS_SECONDS)
  end
  if idempotency_key then
    redis.call('SET', idempotency_key, digest .. message_id, 'EX', ARGV[9])
  end
end

local share = 1 - risk
local reply = { 0, refused_by, ceil(wait * 1000000), floor(risk * 1000000) }
for i = 1, COUNTED do reply[#reply + 1] = floor(user[COUNTS + i] + 0.5) end
local function report(i, rate, burst)
  reply[#reply + 1] = max(0, floor(burst * share - levels[i] + ROUNDING))
  reply[#reply + 1] = ceil(levels[i] / rate * 1000)
end
report(1, rules[1], rules[2])
report(2, rules[3], rules[4])
report(3, rules[5] * share, rules[6])
report(4, rules[7] * share, rules[8])
reply[#reply + 1] = floor(p90)
return reply
