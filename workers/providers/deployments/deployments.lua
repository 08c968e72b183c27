-- Which deployment of one model is asked next, and what each of them has under way in the fleet.
--
-- KEYS[1]  a hash: d<name>: what a deployment has to do and how it stands; sweep_at: when leases
--          are counted again; p<process>.<permit>: a call: when its lease ends, its tokens, where
-- ARGV     the deployments, each name, weight, requests a minute, tokens a minute, calls at once
--          (0: unlimited), and a mark of its key, in MessagePack; the process that asks; and all it asks and tells in one
--          string, eight little-endian doubles each:
--          0 permit tokens limited-tokens lease-ms left-out wanted dice (take)
--          1 permit more-limited-tokens verdict cool-ms place 0 0 (end)
--          2 permit tokens lease-ms place 0 0 0 (renew)
--          left-out has a bit for each deployment that must not be asked, and the 32nd where the
--          call is not to find out whether a key is good again; wanted names up to three places,
--          the first in its lowest six bits; dice is 0 <= dice < 1
-- Returns  for each of these: of take the place from 1 on, 64 more where the call finds out whether
--          a key is good again, or the negative ms to wait, 1e12 more where keys are refused; else 0
--
-- A call is counted as long as its field is there, and what a deployment has to do is the sum of
-- these fields: nothing is kept apart from them that could become another number.

local TAKE, END = 0, 1
local ANSWERED, REFUSED = 1, 2

local MINUTE_MS = 60000
-- A tenth of a minute's limit may go at once.
local BURST_MS = 6000
local CROWD_MS = 50
local KEEP_MS = 7200000
local SWEEP_MS = 1000
-- For how long a refused key is left alone, twice as long each time, and at the most.
local FIRST_REST_MS = 30000
local LONGEST_REST_MS = 300000
local PROBE, REFUSED_KEYS, NO_PROBE = 64, 1e12, 2 ^ 31
-- A wanted deployment is asked while it has no more to do than this share of the mean, and a few
-- calls: what is cached there is worth a little waiting.
local SATURATED_SHARE, SATURATED_CALLS = 1.25, 2

local key = KEYS[1]
local deployments = cmsgpack.unpack(ARGV[1])
local lease_prefix, packed = 'p' .. ARGV[2] .. '.', ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local fields, place_of = {'sweep_at'}, {}
for place, each in ipairs(deployments) do
  fields[place + 1] = 'd' .. each[1]
  place_of[each[1]] = place
end
local stored = redis.call('HMGET', key, unpack(fields))
local sweep_at = tonumber(stored[1] or 0)
local standing, STATE, AFTER_STATE = {}, '<ddddddd', 57
for place, each in ipairs(deployments) do
  local state = {weight = each[2], requests_limit = each[3], tokens_limit = each[4],
    most_at_once = each[5], mark = each[6], load = 0, calls = 0, requests = 0, tokens = 0, cooled_until = 0,
    rests_until = 0, refusals = 0}
  local value = stored[place + 1]
  if value then
    state.load, state.calls, state.requests, state.tokens, state.cooled_until, state.rests_until,
      state.refusals = struct.unpack(STATE, value)
    -- Another key has not been refused.
    if string.sub(value, AFTER_STATE) ~= state.mark then
      state.rests_until, state.refusals = 0, 0
    end
  end
  standing[place] = state
end

local function add(state, tokens, calls)
  state.load, state.calls = state.load + tokens, state.calls + calls
end

local function lease(permit, place, tokens, lease_ms)
  local value = struct.pack('<dd', now + lease_ms, tokens) .. deployments[place][1]
  redis.call('HSET', key, lease_prefix .. permit, value)
end

-- Counts what is there anew, without the calls of workers that died.
local function sweep()
  for _, state in ipairs(standing) do state.load, state.calls = 0, 0 end
  local all, leases = redis.call('HGETALL', key), 0
  for at = 1, #all, 2 do
    if string.sub(all[at], 1, 1) == 'p' then
      local ends, tokens = struct.unpack('<dd', all[at + 1])
      local place = place_of[string.sub(all[at + 1], 17)]
      if ends <= now then
        redis.call('HDEL', key, all[at])
      else
        leases = leases + 1
        if place then add(standing[place], tokens, 1) end
      end
    end
  end
  sweep_at = now + SWEEP_MS + leases
end

local function wait_for(state)
  local wait = math.max(state.cooled_until, state.rests_until) - now
  if state.requests_limit > 0 then
    local interval = MINUTE_MS / state.requests_limit
    local drained = math.max(now, state.requests) + interval
    wait = math.max(wait, drained - now - math.max(BURST_MS, interval))
  end
  if state.tokens_limit > 0 then wait = math.max(wait, state.tokens - now - BURST_MS) end
  if state.most_at_once > 0 and state.calls >= state.most_at_once then
    wait = math.max(wait, CROWD_MS)
  end
  return wait
end

local function charge(state, limited_tokens)
  if state.requests_limit > 0 then
    state.requests = math.max(now, state.requests) + MINUTE_MS / state.requests_limit
  end
  if state.tokens_limit > 0 then
    state.tokens = math.max(now, state.tokens) + limited_tokens * MINUTE_MS / state.tokens_limit
  end
end

-- The first wanted one that has not too much to do already.
local function wanted_one(free, wanted, tokens)
  local load, weight, count = 0, 0, 0
  for _, state in pairs(free) do
    load, weight, count = load + state.load, weight + state.weight, count + 1
  end
  local most = (SATURATED_SHARE * load + SATURATED_CALLS * tokens * count) / weight
  while wanted > 0 do
    local state = free[wanted % 64]
    if state and state.load / state.weight <= most then return wanted % 64 end
    wanted = math.floor(wanted / 64)
  end
end

-- One of those with the least to do, by their weights.
local function least_one(free, dice)
  local least, equals, weight = math.huge, {}, 0
  for place, state in pairs(free) do
    local load = state.load / state.weight
    if load < least then least, equals, weight = load, {}, 0 end
    if load == least then
      equals[#equals + 1] = place
      weight = weight + state.weight
    end
  end
  dice = dice * weight
  for _, place in ipairs(equals) do
    dice = dice - standing[place].weight
    if dice < 0 then return place end
  end
  return equals[#equals]
end

local function take(permit, tokens, limited_tokens, lease_ms, left_out, wanted, dice)
  local free, soonest, all_refused, probed = {}, math.huge, true, nil
  for place, state in ipairs(standing) do
    if state.weight > 0 and bit.band(left_out, 2 ^ (place - 1)) == 0 then
      local wait = wait_for(state)
      local is_refused = state.refusals > 0
      all_refused = all_refused and is_refused
      soonest = math.min(soonest, math.max(wait, 1))
      if wait <= 0 then
        free[place] = state
        if is_refused then probed = place end
      end
    end
  end
  -- One call at a time finds out whether a key is good again.
  if probed and bit.band(left_out, NO_PROBE) ~= 0 and next(free, next(free)) then
    free[probed], probed = nil, nil
  end
  if not next(free) then return -math.ceil(soonest) - (all_refused and REFUSED_KEYS or 0) end
  local place = probed or wanted_one(free, wanted, tokens) or least_one(free, dice)
  local state = standing[place]
  if state.refusals > 0 then state.rests_until = now + lease_ms end
  charge(state, limited_tokens)
  add(state, tokens, 1)
  lease(permit, place, tokens, lease_ms)
  return place + (state.refusals > 0 and PROBE or 0)
end

local function note(state, verdict, is_probe, cool_ms)
  if cool_ms > 0 then state.cooled_until = math.max(state.cooled_until, now + cool_ms) end
  -- Calls that began before a key was refused say nothing new of it.
  if state.refusals > 0 and not is_probe then return end
  if verdict == ANSWERED then
    state.refusals, state.rests_until = 0, 0
  elseif verdict == REFUSED then
    local rest = FIRST_REST_MS * 2 ^ math.min(state.refusals, 10)
    state.refusals = state.refusals + 1
    state.rests_until = now + math.min(rest, LONGEST_REST_MS)
  end
end

local function give_back(permit, more, verdict, cool_ms, place)
  local field = lease_prefix .. permit
  local value = redis.call('HGET', key, field)
  if value then
    redis.call('HDEL', key, field)
    local _, tokens = struct.unpack('<dd', value)
    local leased = standing[place_of[string.sub(value, 17)]]
    if leased then
      add(leased, -tokens, -1)
      if leased.tokens_limit > 0 then
        leased.tokens = leased.tokens + more * MINUTE_MS / leased.tokens_limit
      end
    end
  end
  local state = standing[place % PROBE]
  if state then note(state, verdict, place >= PROBE, cool_ms) end
end

local function renew(permit, tokens, lease_ms, place)
  if redis.call('HEXISTS', key, lease_prefix .. permit) == 0 then
    -- Redis lost it, or it was away when the call began.
    add(standing[place], tokens, 1)
  end
  lease(permit, place, tokens, lease_ms)
end

if sweep_at <= now then sweep() end
local answers, at = {}, 1
while at <= #packed do
  local verb, a, b, c, d, e, f, g
  verb, a, b, c, d, e, f, g, at = struct.unpack('<dddddddd', packed, at)
  local answer = 0
  if verb == TAKE then
    answer = take(a, b, c, d, e, f, g)
  elseif verb == END then
    give_back(a, b, c, d, e)
  else
    renew(a, b, c, d)
  end
  answers[#answers + 1] = answer
end

local told = {'sweep_at', sweep_at}
for place, state in ipairs(standing) do
  told[#told + 1] = fields[place + 1]
  told[#told + 1] = struct.pack(STATE, state.load, state.calls, state.requests, state.tokens,
    state.cooled_until, state.rests_until, state.refusals) .. state.mark
end
redis.call('HSET', key, unpack(told))
redis.call('PEXPIRE', key, KEEP_MS)
return answers
