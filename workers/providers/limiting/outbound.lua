-- What the fleet sends to one model of one provider: requests, tokens, calls under way.
--
-- KEYS[1]  a hash: requests, tokens: when what was taken has drained; cooled_until;
--          p<process>.<permit>: when the lease of a call ends
-- ARGV     requests a minute, tokens a minute, calls at once (0: unlimited), the process that asks,
--          and all it asks and tells in one string, four little-endian doubles each:
--          0 permit tokens lease-ms (take) | 1 permit more-tokens 0 (end) | 2 0 ms 0 (cool)
-- Returns  for each of these 0 when granted or noted, else ms to wait before asking again

local TAKE, END = 0, 1

local MINUTE_MS = 60000
-- A tenth of a minute's limit may go at once.
local BURST_MS = 6000
local CROWD_MS = 50
local KEEP_MS = 3600000

local key = KEYS[1]
local requests_limit, tokens_limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local most_at_once = tonumber(ARGV[3])
local lease_prefix, packed = 'p' .. ARGV[4] .. '.', ARGV[5]

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local stored = redis.call('HMGET', key, 'requests', 'tokens', 'cooled_until')
local requests, tokens = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
local cooled_until = tonumber(stored[3] or 0)

-- Counted when the first call asks, then kept up: the leases of a crowd are read once.
local under_way

local function count_calls()
  under_way = 0
  local fields = redis.call('HGETALL', key)
  for place = 1, #fields, 2 do
    if string.sub(fields[place], 1, 1) == 'p' then
      if tonumber(fields[place + 1]) > now then
        under_way = under_way + 1
      else
        redis.call('HDEL', key, fields[place])
      end
    end
  end
end

local function is_crowded()
  if most_at_once == 0 then return false end
  if not under_way then count_calls() end
  return under_way >= most_at_once
end

local function take(permit, wanted, lease_ms)
  local wait = cooled_until - now
  local requests_drained, tokens_drained = now, now
  if requests_limit > 0 then
    local interval = MINUTE_MS / requests_limit
    requests_drained = math.max(now, requests) + interval
    wait = math.max(wait, requests_drained - now - math.max(BURST_MS, interval))
  end
  if tokens_limit > 0 then
    -- A call larger than the burst goes once what went before has nearly drained.
    tokens_drained = math.max(now, tokens)
    wait = math.max(wait, tokens_drained - now - BURST_MS)
    tokens_drained = tokens_drained + wanted * MINUTE_MS / tokens_limit
  end
  if is_crowded() then wait = math.max(wait, CROWD_MS) end
  if wait > 0 then return math.ceil(wait) end
  requests, tokens = requests_drained, tokens_drained
  redis.call('HSET', key, lease_prefix .. permit, now + lease_ms)
  if under_way then under_way = under_way + 1 end
  return 0
end

local function give_back(permit, more)
  if redis.call('HDEL', key, lease_prefix .. permit) == 0 then return end
  if under_way then under_way = under_way - 1 end
  if tokens_limit > 0 then tokens = tokens + more * MINUTE_MS / tokens_limit end
end

local waits, place = {}, 1
while place <= #packed do
  local verb, permit, amount, lease_ms
  verb, permit, amount, lease_ms, place = struct.unpack('<dddd', packed, place)
  local wait = 0
  if verb == TAKE then
    wait = take(permit, amount, lease_ms)
  elseif verb == END then
    give_back(permit, amount)
  else
    cooled_until = math.max(cooled_until, now + amount)
  end
  waits[#waits + 1] = wait
end
redis.call('HSET', key, 'requests', requests, 'tokens', tokens, 'cooled_until', cooled_until)
redis.call('PEXPIRE', key, KEEP_MS)
return waits
