-- Adds to one count of a user's record, after all of the record has decayed until now.
--
-- KEYS  1 user (packed as in admission.lua)
-- ARGV  1 which count, from 1 in the order of RECORD there   2 how much   3 half-life, seconds
--       4 seconds to keep the record
-- Reply the new count, rounded

local EPOCH, FAST_HALF_LIFE = 1735689600, 10
local USER, FIRST_COUNT = '<ddddddddddddd', 8

local time = redis.call('TIME')
local now = time[1] - EPOCH + time[2] / 1000000
local packed, bodies = redis.call('GET', KEYS[1]), ''
local user = { 0, 0, now, now, now, 0, 0, 0, 0, 0, 0, 0, 0 }
if packed and #packed >= struct.size(USER) then
  user, bodies = { struct.unpack(USER, packed) }, string.sub(packed, struct.size(USER) + 1)
end
user[14] = nil -- where unpacking ended

local idle, half_life = math.max(0, now - user[4]), tonumber(ARGV[3])
user[4], user[6] = now, user[6] * 0.5 ^ (idle / FAST_HALF_LIFE)
for i = FIRST_COUNT - 1, #user do user[i] = user[i] * 0.5 ^ (idle / half_life) end
local reported = FIRST_COUNT - 1 + tonumber(ARGV[1])
user[reported] = user[reported] + tonumber(ARGV[2])

redis.call('SET', KEYS[1], struct.pack(USER, unpack(user)) .. bodies, 'EX', ARGV[4])
return math.floor(user[reported] + 0.5)
