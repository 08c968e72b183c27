-- Keeps an answer, unless the tenant's generation has moved on since its question was looked up.
--
-- KEYS   1 generation   2 entry   3 index (digests by the time they were stored)
-- ARGV   1 generation   2 answer   3 ms to keep it   4 digest   5 most entries of the tenant
--        6 what the keys of its entries begin with
-- Reply  1 when it is kept

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keep = tonumber(ARGV[3])

redis.call('HSET', KEYS[2], 'generation', ARGV[1], 'stored_ms', string.format('%.0f', now),
  'answer', ARGV[2])
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('ZADD', KEYS[3], string.format('%.0f', now), ARGV[4])
redis.call('PEXPIRE', KEYS[3], keep)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('(%.0f', now - keep))

local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[5])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[3], over)
  for place = 1, #oldest, 2 do redis.call('UNLINK', ARGV[6] .. oldest[place]) end
end
return 1
