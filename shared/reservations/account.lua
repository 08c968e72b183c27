-- What Redis keeps of a tenant, in one layout. account.py puts before each script what that script
-- names of it, as every call builds anew what stands before it; and writes what a user's numbers
-- are called and how they are packed, which no call has to work out.
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

local max = math.max
local min = math.min
local floor = math.floor

local EPOCH = 1735689600 -- 2025-01-01: small numbers keep more digits in a double
local DAY_SECONDS = 86400
local FAST_HALF_LIFE = 10
-- As text, as Redis takes them; a slot's is longer than any lease.
local RECORD_SECONDS, TENANT_SECONDS, SLOTS_SECONDS = '3600', '86400', '691200'

local function server_time()
  local time = redis.call('TIME')
  return time[1] - EPOCH + time[2] / 1000000
end

local function day_of(now) return floor(now / DAY_SECONDS) end

local function server_day()
  return floor((redis.call('TIME')[1] - EPOCH) / DAY_SECONDS)
end

-- Levels of requests and tokens, at, p90, answers. nil where there is none, or one that another
-- version packed.
local function read_tenant(key)
  local packed = redis.call('GET', key)
  if packed and #packed == 40 then return struct.unpack('<ddddd', packed) end
end

local function write_tenant(key, ...)
  redis.call('SET', key, struct.pack('<ddddd', ...), 'EX', TENANT_SECONDS)
end

-- Levels of requests and tokens, at, seen, born, fast, slow, the counts, the bodies; a new user where
-- there is none that this version packed. No table where nothing is counted, as of most users.
local function read_user(key, now)
  local packed = redis.call('GET', key)
  if not packed or #packed < USER_BYTES then return 0, 0, now, now, now, 0, 0, nil, '' end
  local kept, counts = string.sub(packed, BYTES_BEFORE_COUNTS + 1, USER_BYTES), nil
  if kept ~= NO_COUNTS then counts = { struct.unpack(COUNTS, kept) } end
  local requests, tokens, at, seen, born, fast, slow = struct.unpack(BEFORE_COUNTS, packed)
  return requests, tokens, at, seen, born, fast, slow, counts, string.sub(packed, USER_BYTES + 1)
end

local function write_user(key, requests, tokens, at, seen, born, fast, slow, counts, bodies)
  local before = struct.pack(BEFORE_COUNTS, requests, tokens, at, seen, born, fast, slow)
  local packed = counts and struct.pack(COUNTS, unpack(counts)) or NO_COUNTS
  redis.call('SET', key, before .. packed .. bodies, 'EX', RECORD_SECONDS)
end

-- Levels come first, and are all that an ending changes: the rest stays packed.
local function change_levels_of_user(key, requests_more, tokens_more)
  local packed = redis.call('GET', key)
  if not packed then return end
  local requests, tokens = struct.unpack('<dd', packed)
  local levels = struct.pack('<dd', max(0, requests + requests_more), max(0, tokens + tokens_more))
  redis.call('SET', key, levels .. string.sub(packed, 17), 'EX', RECORD_SECONDS)
end

-- The record as it stands so long after: everything in it halves with every half-life.
local function decay(seconds, half_life, fast, slow, counts)
  local left = 0.5 ^ (seconds / half_life)
  if counts then
    for i = 1, COUNTED do counts[i] = counts[i] * left end
  end
  return fast * 0.5 ^ (seconds / FAST_HALF_LIFE), slow * left
end

-- The day, what was spent on it, what is reserved, and whether a spending of that day is known
-- here; nil where nobody has told. The day is today, or a later one where the clock went back.
local function read_budget(key, today)
  local known = redis.call('HMGET', key, 'day', 'spent', 'reserved')
  if not known[1] then return nil end
  local day, reserved = tonumber(known[1]), tonumber(known[3]) or 0
  if day < today then return today, 0, reserved, false end
  return day, tonumber(known[2]), reserved, true
end

-- The same with what the ledger says: its day, all that it booked on it (for a Redis that has
-- forgotten), and what it booked a minute ago or before (settlements that Redis was away for). Each
-- is '' where it was not just read.
local function read_budget_told(key, today, told_day, booked, settled)
  local is_told, day, spent, reserved, is_known =
    tonumber(told_day) == today, read_budget(key, today)
  if not day then
    if not is_told or booked == '' then return nil end
    return today, tonumber(booked), 0
  end
  if is_known and is_told and settled ~= '' then spent = max(spent, tonumber(settled)) end
  return day, spent, reserved
end

local function write_budget(key, day, spent, reserved)
  redis.call('HSET', key, 'day', day, 'spent', string.format('%.0f', spent),
    'reserved', string.format('%.0f', max(0, reserved)))
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
