-- Finds a stored answer, or a seat on the flight that will bring it.
--
-- KEYS   1 generation   2 entry (a hash: generation, stored_ms, answer)   3 flight
-- ARGV   1 who asks, '' to take no flight   2 ms a leader may be silent
--        3 the oldest answer wanted in ms, '' for any, -1 for none
-- Reply  {generation, role, age in ms, answer}; the answer is '' when there is none to be had
--        role: 0 takes no flight, 1 leads, 2 follows, 3 flies alone: the last leader brought nothing

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A generation that was lost begins later than any that was: nothing stale comes into reach.
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = string.format('%.0f', now)
  redis.call('SET', KEYS[1], generation)
end

if ARGV[3] ~= '-1' then
  local entry = redis.call('HMGET', KEYS[2], 'generation', 'stored_ms', 'answer')
  if entry[1] == generation and entry[3] then
    local age = math.max(0, now - tonumber(entry[2]))
    if ARGV[3] == '' or age <= tonumber(ARGV[3]) then return {generation, 0, age, entry[3]} end
  end
end

local role = 0
if ARGV[1] ~= '' then
  local leader = redis.call('GET', KEYS[3])
  if not leader or leader == ARGV[1] then
    redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
    role = 1
  elseif leader == '-' then
    role = 3
  else
    role = 2
  end
end
return {generation, role, 0, ''}
