-- Writes a log of questions anew without some of them: what XDEL takes out of a stream stays in the
-- memory of Redis, and in its files, for as long as its neighbours do. Each entry keeps its number,
-- from which workers read on, and each removal is told to them as they tell each other.
--
-- KEYS   1 log
-- ARGV   ids of the answers whose questions go
-- Reply  how many went

local gone = {}
for place = 1, #ARGV do gone[ARGV[place]] = true end

local entries = redis.call('XRANGE', KEYS[1], '-', '+')
local found = {}
for place = 1, #entries do
  local fields = entries[place][2]
  if fields[1] == 'i' and gone[fields[2]] then found[#found + 1] = fields[2] end
end
if #found == 0 then return 0 end

local left_ms = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
for place = 1, #entries do
  local fields = entries[place][2]
  if not (fields[1] == 'i' and gone[fields[2]]) then
    redis.call('XADD', KEYS[1], entries[place][1], unpack(fields))
  end
end
for place = 1, #found do redis.call('XADD', KEYS[1], '*', 'r', found[place]) end
if left_ms > 0 then redis.call('PEXPIRE', KEYS[1], left_ms) end
return #found
