-- What the fleet sends to one model of one provider: requests, tokens, calls under way.
--
-- KEYS[1]  a hash: requests, tokens: when what was taken has drained; cooled_until;
--          p<permit>: when the lease of a call ends
-- ARGV     requests a minute, tokens a minute, calls at once (0: unlimited), then
--          take <permit> <tokens> <lease ms> | end <permit> <more tokens> | cool <ms>
-- Returns  0 when granted, else ms to wait before asking again

local MINUTE_MS = 60000
-- A tenth of a minute's limit may go at once.
local BURST_MS = 6000
local CROWD_MS = 50
local KEEP_MS = 3600000

local key = KEYS[1]
local requests_limit, tokens_limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local most_at_once, verb = tonumber(ARGV[3]), ARGV[4]

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function stored(field) return tonumber(redis.call('HGET', key, field) or 0) end

local function calls_under_way()
  local calls, fields = 0, redis.call('HGETALL', key)
  for place = 1, #fields, 2 do
    if string.sub(fields[place], 1, 1) == 'p' then
      if tonumber(fields[place + 1]) > now then
        calls = calls + 1
      else
        redis.call('HDEL', key, fields[place])
      end
    end
  end
  return calls
end

local function take(permit, tokens, lease_ms)
  local wait = stored('cooled_until') - now
  local requests_drained, tokens_drained = now, now
  if requests_limit > 0 then
    local interval = MINUTE_MS / requests_limit
    requests_drained = math.max(now, stored('requests')) + interval
    wait = math.max(wait, requests_drained - now - math.max(BURST_MS, interval))
  end
  if tokens_limit > 0 then
    -- A call larger than the burst goes once what went before has nearly drained.
    tokens_drained = math.max(now, stored('tokens'))
    wait = math.max(wait, tokens_drained - now - BURST_MS)
    tokens_drained = tokens_drained + tokens * MINUTE_MS / tokens_limit
  end
  if most_at_once > 0 and calls_under_way() >= most_at_once then wait = math.max(wait, CROWD_MS) end
  if wait > 0 then return math.ceil(wait) end
  redis.call('HSET', key, 'requests', requests_drained, 'tokens', tokens_drained,
    'p' .. permit, now + lease_ms)
  return 0
end

local wait = 0
if verb == 'take' then
  wait = take(ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]))
elseif verb == 'end' then
  if redis.call('HDEL', key, 'p' .. ARGV[5]) == 1 and tokens_limit > 0 then
    redis.call('HSET', key, 'tokens', stored('tokens') + ARGV[6] * MINUTE_MS / tokens_limit)
  end
elseif stored('cooled_until') < now + ARGV[5] then
  redis.call('HSET', key, 'cooled_until', now + ARGV[5])
end
redis.call('PEXPIRE', key, KEEP_MS)
return wait
