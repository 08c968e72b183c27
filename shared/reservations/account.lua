-- What Redis keeps of a tenant, in one layout. It stands before every script that reads or writes
-- it: account.py puts it there, under RECORD, the names of the counts in a user's record.
--
--   tenant   packed doubles: levels of requests and tokens, at; the learned p90 of output tokens,
--            and from how many answers
--   user     packed doubles: levels of requests and tokens, at; then the user's record as of seen:
--            since when it is known (born), messages lately (fast) and over a half-life (slow), the
--            counts of RECORD; then 8 bytes of each recent body
--   slots    zset: message id -> end of its lease
--   budget   hash: day, spent on it and reserved, in billionths of a dollar, and what each message
--            in flight reserved, by its id (only of a tenant with a cap); 'billed:' and 'unbilled:'
--            before an id say whose bill came before its end, and whose is still to come
--
-- Times are seconds of the server's own clock since EPOCH, so that every process means the same
-- instant; days are counted from there too. Levels are those of leaky buckets at the time `at`.

local max, min, floor, ceil = math.max, math.min, math.floor, math.ceil

local EPOCH = 1735689600 -- 2025-01-01: small numbers keep more digits in a double
local DAY_SECONDS, FAST_HALF_LIFE = 86400, 10
local RECORD_SECONDS, TENANT_SECONDS, SLOTS_SECONDS = 3600, 86400, 691200 -- longer than any lease

-- Where what is packed stands, once it is unpacked: first what tenant and user have both.
local REQUESTS, TOKENS, AT = 1, 2, 3
local P90, ANSWERS = 4, 5
local SEEN, BORN, FAST, SLOW, COUNTS = 4, 5, 6, 7, 7 -- the counts follow COUNTS, then the bodies
local BODIES = COUNTS + #RECORD + 1
local TENANT, TENANT_BYTES = '<ddddd', 8 * ANSWERS
local USER, USER_BYTES = '<' .. string.rep('d', BODIES - 1), 8 * (BODIES - 1)

local function server_time()
  local time = redis.call('TIME')
  return time[1] - EPOCH + time[2] / 1000000
end

local function day_of(now) return floor(now / DAY_SECONDS) end

-- nil where there is none, or one that another version packed.
local function read_tenant(key)
  local packed = redis.call('GET', key)
  return packed and #packed == TENANT_BYTES and { struct.unpack(TENANT, packed) } or nil
end

local function write_tenant(key, tenant)
  redis.call('SET', key, struct.pack(TENANT, unpack(tenant, 1, ANSWERS)), 'EX', TENANT_SECONDS)
end

-- nil as above.
local function read_user(key)
  local packed = redis.call('GET', key)
  if not packed or #packed < USER_BYTES then return nil end
  local user = { struct.unpack(USER, packed) }
  user[BODIES] = string.sub(packed, user[BODIES]) -- it was where unpacking ended
  return user
end

local function new_user(now)
  local user = { 0, 0, now, now, now, 0, 0 }
  for i = COUNTS + 1, BODIES - 1 do user[i] = 0 end
  user[BODIES] = ''
  return user
end

local function write_user(key, user)
  redis.call('SET', key, struct.pack(USER, unpack(user, 1, BODIES - 1)) .. user[BODIES],
    'EX', RECORD_SECONDS)
end

-- Levels come first, and are all that an ending changes: the rest stays packed.
local function change_levels_of_user(key, change)
  local packed = redis.call('GET', key)
  if not packed then return end
  local levels = struct.pack('<dd', change(struct.unpack('<dd', packed)))
  redis.call('SET', key, levels .. string.sub(packed, 17), 'EX', RECORD_SECONDS)
end

-- The record as it stands now: everything in it halves with every half-life.
local function decay(user, now, half_life)
  local idle = max(0, now - user[SEEN])
  local left = 0.5 ^ (idle / half_life)
  user[SEEN], user[FAST] = now, user[FAST] * 0.5 ^ (idle / FAST_HALF_LIFE)
  for i = SLOW, BODIES - 1 do user[i] = user[i] * left end
end

-- What was spent today and what is reserved; nil where nobody has told.
local function read_budget(key, today)
  local known = redis.call('HMGET', key, 'day', 'spent', 'reserved')
  if not known[1] then return nil end
  local day, reserved = tonumber(known[1]), tonumber(known[3]) or 0
  if day < today then return { day = today, spent = 0, reserved = reserved } end
  return { day = day, spent = tonumber(known[2]), reserved = reserved, is_of_today = true }
end

-- The same with what the ledger says: its day, all that it booked on it (for a Redis that has
-- forgotten), and what it booked a minute ago or before (settlements that Redis was away for). Each
-- is '' where it was not just read.
local function read_budget_told(key, today, told_day, booked, settled)
  local is_told, budget = tonumber(told_day) == today, read_budget(key, today)
  if not budget then
    if not is_told or booked == '' then return nil end
    return { day = today, spent = tonumber(booked), reserved = 0 }
  end
  if budget.is_of_today and is_told and settled ~= '' then
    budget.spent = max(budget.spent, tonumber(settled))
  end
  return budget
end

local function write_budget(key, budget)
  redis.call('HSET', key, 'day', budget.day, 'spent', string.format('%.0f', budget.spent),
    'reserved', string.format('%.0f', max(0, budget.reserved)))
end

-- Leases that ran out: their messages are settled or lost, and reserve nothing more.
local function release_expired(slots_key, budget_key, now)
  local ended = redis.call('ZRANGEBYSCORE', slots_key, '-inf', now)
  for _, id in ipairs(ended) do
    local amount = redis.call('HGET', budget_key, id)
    if amount then
      local left = redis.call('HGET', budget_key, 'reserved') - amount
      redis.call('HSET', budget_key, 'reserved', string.format('%.0f', max(0, left)))
      redis.call('HDEL', budget_key, id, 'billed:' .. id)
    end
  end
  if #ended > 0 then redis.call('ZREMRANGEBYSCORE', slots_key, '-inf', now) end
end
