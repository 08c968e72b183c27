-- Credits of the lanes: how many messages may be handed to workers now. Atomic.
--
-- The leader of the dispatch writes them, and the key lapses when it is silent: then nobody
-- dispatches, and whoever accepts a message publishes it at once.
--
-- KEYS  1 hash   free:<lane>, slots:<lane>, backlog:<lane> (1 while messages of the lane are held)
-- ARGV  1 take   for a door: nothing of a lane that has a backlog
--         lead   for the leader: it is the backlog's turn
--                either: then of each lane its name, how many are wanted, how many come back
--         set    milliseconds to live, then the hash's fields and values
-- Reply take, lead: for each lane how many are granted, -1 where nobody dispatches it
--
-- A leader may set a debt (free below 0, where slots went away): no taking makes or deepens one.
-- It needs no more commands than admission does, so a user of Redis that was allowed those still is.

local key, task = KEYS[1], ARGV[1]

if task == 'set' then
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(ARGV, 3))
  redis.call('PEXPIRE', key, ARGV[2])
  return 1
end

local granted = {}
for at = 2, #ARGV, 3 do
  local lane, wanted, back = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local told = redis.call('HMGET', key, 'free:' .. lane, 'slots:' .. lane, 'backlog:' .. lane)
  local free, slots = tonumber(told[1]), tonumber(told[2])
  local taken = -1
  if free and slots then
    -- What comes back twice, or after the leader has counted anew, opens no slot that is not there.
    local left = math.max(free, math.min(free + back, slots))
    taken = math.max(0, math.min(wanted, left))
    if task == 'take' and told[3] == '1' then taken = 0 end
    if left - taken ~= free then
      redis.call('HSET', key, 'free:' .. lane, string.format('%.0f', left - taken))
    end
  end
  granted[#granted + 1] = taken
end
return granted
