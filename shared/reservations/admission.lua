-- The verdict on one message, atomic. Nothing is consumed unless everything allows it.
--
-- All keys carry the hash tag {tenant}: one slot of a cluster. Times are seconds of the server's
-- own clock (since EPOCH), so that every replica of the door means the same instant.
--
-- KEYS  1 tenant   packed doubles TENANT: levels of requests and tokens, at, learned p90 of output
--                  tokens, and from how many answers
--       2 user     packed doubles USER: levels of requests and tokens, at; then the user's record as
--                  of seen: since when it is known (born), messages lately (fast) and over a
--                  half-life (slow), the counts of RECORD; then 8 bytes of each recent body
--       3 slots    zset: message id -> end of its lease
--       4 budget   hash: day (since EPOCH), spent on it and reserved, in billionths of a dollar, and
--                  what each message in flight reserved, by its id (only of a tenant with a cap)
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
--       verdict   {0, refused by: see VERDICTS, wait µs, risk ppm, refusals, repeats, bursts, blocks,
--                  injections, complaints, then remaining and ms until full for: tenant's requests,
--                  tenant's tokens, user's requests, user's tokens; learned p90 of output tokens}
--
-- The limits are GCRA in its continuous-state form (ITU-T I.371, a leaky bucket as a meter): a
-- level rises by the message's weight and drains with time. It is the same algorithm as the
-- "theoretical arrival time" form, and what was reserved can be given back by subtracting it.
-- A user's risk shrinks its own rate and burst, and how far it may fill the tenant's bucket.
-- A message heavier than a shrunken burst, and not than the whole one, passes an empty bucket.

local EPOCH = 1735689600 -- 2025-01-01: small numbers keep more digits in a double
local ROUNDING = 1e-6
local FAST_HALF_LIFE = 10
local BURST_FLOOR, BURST_RATIO = 20, 10
local BODIES = 8 -- how many recent bodies a repeat is recognised among
local RECORD_SECONDS, TENANT_SECONDS, SLOTS_SECONDS = 3600, 86400, 691200 -- longer than any lease
local VERDICTS = 7 -- tenant requests, tenant tokens, user requests, user tokens, slots, lane, budget
local DAY_SECONDS = 86400
local RECORD = 6 -- refusals, repeats, bursts, blocks, injections, complaints
local TENANT, USER, RULES = '<ddddd', '<ddddddddddddd', '<ddddddddddddddddddddddddddddd'
local TENANT_BYTES, USER_BYTES = struct.size(TENANT), struct.size(USER)

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

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] - EPOCH + time[2] / 1000000
end

-- Leases that ran out: their messages are settled or lost, and reserve nothing more.
local function release_expired()
  local ended = redis.call('ZRANGEBYSCORE', slots_key, '-inf', now)
  for _, id in ipairs(ended) do
    local amount = redis.call('HGET', budget_key, id)
    if amount then
      local left = redis.call('HGET', budget_key, 'reserved') - amount
      redis.call('HSET', budget_key, 'reserved', string.format('%.0f', math.max(0, left)))
      redis.call('HDEL', budget_key, id, 'billed:' .. id)
    end
  end
  if #ended > 0 then redis.call('ZREMRANGEBYSCORE', slots_key, '-inf', now) end
end

local cap, price, today = tonumber(ARGV[10]), tonumber(ARGV[11]), math.floor(now / DAY_SECONDS)
local spent, reserved = 0, 0
if cap then
  release_expired()
  local is_told = tonumber(ARGV[12]) == today
  local known = redis.call('HMGET', budget_key, 'day', 'spent', 'reserved')
  reserved = tonumber(known[3]) or 0
  if not known[1] then
    if not is_told or ARGV[13] == '' then return { 2 } end
    spent = tonumber(ARGV[13])
  elseif tonumber(known[1]) >= today then
    spent = tonumber(known[2])
    -- Settlements that Redis was away for.
    if is_told and ARGV[14] ~= '' then spent = math.max(spent, tonumber(ARGV[14])) end
  end
end

local rules = { struct.unpack(RULES, ARGV[1]) }
local slots, half_life, largest_risk = rules[9], rules[10], rules[11]

-- What is missing, or was packed by another version, starts anew.
local tenant = redis.call('GET', tenant_key)
tenant = tenant and #tenant == TENANT_BYTES and { struct.unpack(TENANT, tenant) }
  or { 0, 0, 0, -1, 0 }
local packed, bodies = redis.call('GET', user_key), ''
local user = { 0, 0, now, now, now, 0, 0, 0, 0, 0, 0, 0, 0 }
if packed and #packed >= USER_BYTES then
  user, bodies = { struct.unpack(USER, packed) }, string.sub(packed, USER_BYTES + 1)
end
-- A clock that went back (another server took over) must not hold levels where they are.
tenant[3], user[3] = math.min(tenant[3], now), math.min(user[3], now)

-- The record as it stands now: everything in it halves every half-life.
local idle = math.max(0, now - user[4])
local decay = 0.5 ^ (idle / half_life)
local born, fast, slow = math.min(user[5], now), user[6] * 0.5 ^ (idle / FAST_HALF_LIFE), user[7] * decay
local counts = {}
for i = 1, RECORD do counts[i] = user[7 + i] * decay end

-- Independent reasons add up as probabilities do: 1 - the product of what each leaves.
local function risk_of()
  local trust = 1
  for i = 1, RECORD do
    local weight, half, free = rules[9 + 3 * i], rules[10 + 3 * i], rules[11 + 3 * i]
    local excess = math.max(0, counts[i] - free)
    trust = trust * (1 - weight * excess / (excess + half))
  end
  return math.min(1 - trust, largest_risk)
end

-- One bucket: its level now, and how long until `weight` fits.
local function bucket(level, at, rate, burst, weight)
  level = math.max(0, level - (now - at) * rate)
  local excess = level + weight - math.max(burst, weight)
  return level, excess > ROUNDING and excess / rate or 0
end

local levels, waits = {}, {}
local function measure(share)
  levels[1], waits[1] = bucket(tenant[1], tenant[3], rules[1], rules[2] * share, 1)
  levels[2], waits[2] = bucket(tenant[2], tenant[3], rules[3], rules[4] * share, tokens)
  levels[3], waits[3] = bucket(user[1], user[3], rules[5] * share, rules[6] * share, 1)
  levels[4], waits[4] = bucket(user[2], user[3], rules[7] * share, rules[8] * share, tokens)
end

local risk = risk_of()
measure(1 - risk)

local after_now = string.format('(%.17g', now)
-- The lease is taken first: taken already, this is the same call again (its reply was lost).
local is_new = redis.call('ZADD', slots_key, 'NX', now + lease, message_id) == 1
waits[5], waits[6] = 0, math.max(0, expected_wait - seconds_left)
if redis.call('ZCOUNT', slots_key, after_now, '+inf') > slots then
  local first = redis.call('ZRANGE', slots_key, after_now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  waits[5] = math.min(math.max(tonumber(first[2]) - now, 0.001), 1)
end
waits[7] = 0
if cap and spent + reserved + price > cap then
  local midnight = (today + 1) * DAY_SECONDS - now
  -- What messages in flight do not use of what they reserved comes back as they end.
  waits[7] = spent + price <= cap and math.min(1, midnight) or midnight
end

local refused_by, wait = 0, 0
for i = 1, VERDICTS do
  if waits[i] > 0 and refused_by == 0 then refused_by = i end
end
if not is_new then refused_by = 0 end

local function keep_user(requests, tokens_level, at)
  redis.call('SET', user_key, struct.pack(USER, requests, tokens_level, at, now, born, fast, slow,
    unpack(counts)) .. bodies, 'EX', RECORD_SECONDS)
end
local function keep_tenant(requests, tokens_level, at)
  redis.call('SET', tenant_key, struct.pack(TENANT, requests, tokens_level, at, tenant[4], tenant[5]),
    'EX', TENANT_SECONDS)
end

if cap then
  if refused_by == 0 and is_new then
    reserved = reserved + price
    redis.call('HSET', budget_key, message_id, ARGV[11])
  end
  redis.call('HSET', budget_key, 'day', today, 'spent', string.format('%.0f', spent),
    'reserved', string.format('%.0f', reserved))
  redis.call('EXPIRE', budget_key, SLOTS_SECONDS)
end

if refused_by > 0 then
  redis.call('ZREM', slots_key, message_id)
  -- A full lane is our fault, a spent budget the tenant's: neither leaves a mark on the user. The
  -- wait is measured after the mark, so that it is true for whoever keeps it: from here on risk
  -- only falls.
  if refused_by < 6 then
    counts[1] = counts[1] + 1
    keep_user(user[1], user[2], user[3])
    keep_tenant(tenant[1], tenant[2], tenant[3])
    risk = risk_of()
    measure(1 - risk)
  end
  for i = 1, VERDICTS do wait = math.max(wait, waits[i]) end
elseif is_new then
  for i = 1, 3, 2 do
    levels[i], levels[i + 1] = levels[i] + 1, levels[i + 1] + tokens
  end
  fast, slow = fast + 1, slow + 1
  local body = string.sub(digest, 1, 8)
  if string.find(bodies, body, 1, true) then
    counts[2] = counts[2] + 1
  else
    bodies = string.sub(body .. bodies, 1, 8 * BODIES)
  end
  -- The user's own baseline counts once it is a half-life old; a start-up phase is no burst.
  local age = now - born
  if fast >= BURST_FLOOR and age >= half_life then
    local baseline = slow / half_life / (1 - 0.5 ^ (age / half_life))
    if fast / FAST_HALF_LIFE > BURST_RATIO * baseline then counts[3] = counts[3] + 1 end
  end
  keep_tenant(levels[1], levels[2], now)
  keep_user(levels[3], levels[4], now)
  if math.floor(tenant[3]) ~= math.floor(now) then -- once a second is enough
    release_expired()
    redis.call('EXPIRE', slots_key, SLOTS_SECONDS)
  end
  if idempotency_key then
    redis.call('SET', idempotency_key, digest .. message_id, 'EX', ARGV[9])
  end
end

local share = 1 - risk
local reply = { 0, refused_by, math.ceil(wait * 1000000), math.floor(risk * 1000000) }
for i = 1, RECORD do reply[#reply + 1] = math.floor(counts[i] + 0.5) end
local function report(i, rate, burst)
  reply[#reply + 1] = math.max(0, math.floor(burst * share - levels[i] + ROUNDING))
  reply[#reply + 1] = math.ceil(levels[i] / rate * 1000)
end
report(1, rules[1], rules[2])
report(2, rules[3], rules[4])
report(3, rules[5] * share, rules[6])
report(4, rules[7] * share, rules[8])
reply[#reply + 1] = math.floor(tenant[4])
return reply
