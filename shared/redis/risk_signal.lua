-- Adds to one count of a user's record (see admission.lua), after all of it has decayed until now.
--
-- KEYS  1 user hash
-- ARGV  1 count (blocks, injections, complaints)   2 how much   3 half-life, seconds
--       4 seconds to keep the record
-- Reply the new count, rounded

local EPOCH, FAST_HALF_LIFE = 1735689600, 10
local DECAYING = { 'slow', 'refusals', 'repeats', 'bursts', 'blocks', 'injections', 'complaints' }

local time = redis.call('TIME')
local now = time[1] - EPOCH + time[2] / 1000000
local record = redis.call('HMGET', KEYS[1], 'seen', 'born', 'fast', unpack(DECAYING))
local elapsed = now - math.min(tonumber(record[1]) or now, now)
local decay = 0.5 ^ (elapsed / tonumber(ARGV[3]))

local written = { 'seen', now, 'born', record[2] or now,
  'fast', (tonumber(record[3]) or 0) * 0.5 ^ (elapsed / FAST_HALF_LIFE) }
local total = 0
for i, name in ipairs(DECAYING) do
  local count = (tonumber(record[3 + i]) or 0) * decay
  if name == ARGV[1] then
    count = count + tonumber(ARGV[2])
    total = count
  end
  written[#written + 1] = name
  written[#written + 1] = count
end
redis.call('HSET', KEYS[1], unpack(written))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return math.floor(total + 0.5)
