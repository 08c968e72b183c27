-- One breaker, kept for the fleet. The same rules stand in shared/breakers/rules.py.
--
-- KEYS[1]  a hash: state, half_open_at, in_a_row, successes,
--          b<slot> c<slot> f<slot>: number, calls and failures of each bucket of the window,
--          p<permit>: when the lease of a probe ends
-- ARGV     window ms, failure share, minimum calls, failures in a row, open ms, probes, lease ms,
--          successes to close, then the question:
--          report <outcomes> <permit>... | begin <permit> | end <permit> <outcome> | open
-- Returns  state, ms until half-open, free probes, granted, changed, calls, failures

local BUCKETS = 10
local KEEP_MS = 3600000

local key = KEYS[1]
local window_ms, share = tonumber(ARGV[1]), tonumber(ARGV[2])
local minimum_calls, most_in_a_row = tonumber(ARGV[3]), tonumber(ARGV[4])
local open_ms, probes, lease_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local successes_to_close = tonumber(ARGV[8])
local question = ARGV[9]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local breaker = {}
local stored = redis.call('HGETALL', key)
for place = 1, #stored, 2 do breaker[stored[place]] = stored[place + 1] end
local function number(field) return tonumber(breaker[field] or 0) end

local written, changed = false, 0
local function write(field, value)
  written = true
  if value == nil then redis.call('HDEL', key, field) else redis.call('HSET', key, field, value) end
  breaker[field] = value and tostring(value)
end

local leases = 0
for field, value in pairs(breaker) do
  if string.sub(field, 1, 1) == 'p' then
    if tonumber(value) > now then leases = leases + 1 else write(field, nil) end
  end
end

local bucket = math.floor(now * BUCKETS / window_ms)
local slot = bucket % BUCKETS
local calls, failures = 0, 0
for each = 0, BUCKETS - 1 do
  if number('b' .. each) > bucket - BUCKETS then
    calls = calls + number('c' .. each)
    failures = failures + number('f' .. each)
  end
end

local function become(state)
  redis.call('DEL', key)
  breaker, leases, changed, calls, failures = {}, 0, 1, 0, 0
  write('state', state)
  if state == 'open' then write('half_open_at', now + open_ms) end
end

local function count(failed)
  calls = calls + 1
  if number('b' .. slot) ~= bucket then
    write('b' .. slot, bucket) write('c' .. slot, 0) write('f' .. slot, 0)
  end
  write('c' .. slot, number('c' .. slot) + 1)
  if not failed then
    if number('in_a_row') > 0 then write('in_a_row', 0) end
    return
  end
  failures = failures + 1
  write('f' .. slot, number('f' .. slot) + 1)
  write('in_a_row', number('in_a_row') + 1)
  local too_many = calls >= minimum_calls and failures >= share * calls
  if too_many or number('in_a_row') >= most_in_a_row then become('open') end
end

local function is(state) return (breaker.state or 'closed') == state end

if is('open') and now >= number('half_open_at') then become('half-open') end

local granted = 0
if question == 'report' then
  for outcome in string.gmatch(ARGV[10], '.') do
    if is('closed') then count(outcome == 'f') end
  end
  for place = 11, #ARGV do
    if breaker['p' .. ARGV[place]] then write('p' .. ARGV[place], now + lease_ms) end
  end
elseif question == 'begin' then
  if is('half-open') and leases < probes then
    write('p' .. ARGV[10], now + lease_ms)
    leases, granted = leases + 1, 1
  end
elseif question == 'open' then
  become('open')
elseif question == 'end' and breaker['p' .. ARGV[10]] then
  write('p' .. ARGV[10], nil)
  leases = leases - 1
  if ARGV[11] == 'failure' then
    become('open')
  elseif ARGV[11] == 'success' then
    write('successes', number('successes') + 1)
    if number('successes') >= successes_to_close then become('closed') end
  end
end

if written then redis.call('PEXPIRE', key, math.max(KEEP_MS, 2 * open_ms, 2 * window_ms)) end
local left = is('open') and number('half_open_at') - now or 0
local free = is('half-open') and math.max(0, probes - leases) or 0
return {breaker.state or 'closed', left, free, granted, changed, calls, failures}
