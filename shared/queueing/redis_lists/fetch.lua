-- Pops what waits in lists and records it as unacknowledged, as kombu does, in one step.
--
-- KEYS: the hash and the sorted set of unacknowledged messages, then the lists in BRPOP's order:
-- all queues' lists of one priority before any of the next.
-- ARGV: now, how many to pop at most, the tag and the record of a message that BRPOP has popped and
-- that is to be recorded too (or '' and ''), and for every queue its name and what ends the record
-- of an element of it.
-- Returns for each that was popped: its queue's place among the queues, its tag, the element, the
-- place of its list among the lists. Without a message in hand how many are left comes first.
--
-- It pops what so many BRPOPs in turn would have popped, and ends before the first element that is
-- not plain. Where BRPOP has popped before, it will pop that one, and its reader makes of it what
-- can be put back. Without a message in hand the element comes last, with '' for its tag, and stays
-- where it is: see take.lua. And then no more than half of what waits is popped, or one: readers that
-- wake at the same time share a crowd.

local LARGEST_BYTES = 16384
local MOST_BRACKETS = 100

local function is_plain_word(word)
  return word == 'null' or word == 'true' or word == 'false'
    or (#word < 16 and word:find('^%-?%d+$') and not word:find('^%-?0%d'))
end

local function is_plain_structure(structure)
  for word in structure:gmatch('[^%[%]{},: ]+') do
    if not is_plain_word(word) then return false end
  end
  local _, brackets = structure:gsub('[%[{]', '')
  return brackets <= MOST_BRACKETS
end

-- Messages of one kind have all the same structure.
local plain_structures = {}

-- Whether every decoder of JSON reads the same in it; Redis' own takes more than Python's.
local function is_plain_text(element)
  if #element > LARGEST_BYTES or element:find('\\', 1, true)
    or element:find('__type__', 1, true) then
    return false
  end
  local structure = element:gsub('"[^"%c]*"', '')
  if plain_structures[structure] == nil then
    plain_structures[structure] = is_plain_structure(structure)
  end
  return plain_structures[structure]
end

-- The tag of an element that any kombu could deliver and put back; else nil.
local function tag_of(element)
  if not is_plain_text(element) then return nil end
  local is_json, envelope = pcall(cjson.decode, element)
  if not is_json or type(envelope) ~= 'table' then return nil end
  local headers, properties = envelope.headers, envelope.properties
  if type(envelope.body) ~= 'string' or type(headers) ~= 'table' or type(properties) ~= 'table' then
    return nil
  end
  local way_back, tag = properties.delivery_info, properties.delivery_tag
  local is_sound = type(next(headers)) == 'string' and type(way_back) == 'table'
    and type(way_back.exchange) == 'string' and type(way_back.routing_key) == 'string'
    and type(tag) == 'string' and tag:find('^[!-~]+$')
  return is_sound and tag or nil
end

local function record(tag, text)
  redis.call('ZADD', KEYS[2], ARGV[1], tag)
  redis.call('HSET', KEYS[1], tag, text)
end

-- They do nothing, and fail before anything was popped if there is another kind of value; and a
-- script that has begun to write is not stopped by a full memory.
redis.call('HDEL', KEYS[1], '')
redis.call('ZREM', KEYS[2], '')
local has_one_in_hand = ARGV[3] ~= ''
if has_one_in_hand then record(ARGV[3], ARGV[4]) end

local most, queues, fetched, waiting_there = tonumber(ARGV[2]), (#ARGV - 4) / 2, {}, 0
if not has_one_in_hand then
  for list = 3, #KEYS do
    local length = redis.pcall('LLEN', KEYS[list])
    if type(length) == 'number' then waiting_there = waiting_there + length end
  end
  most = math.min(most, math.max(1, math.ceil(waiting_there / 2)))
end

local function result()
  if has_one_in_hand then return fetched end
  return {waiting_there - #fetched, fetched}
end

-- The queue's next element goes with the others; false if there is none, nil if it is not plain.
local function fetch(place, list)
  local element = redis.pcall('RPOP', KEYS[list])
  if type(element) ~= 'string' then return false end
  local tag = tag_of(element)
  if not tag then
    redis.call('RPUSH', KEYS[list], element)
    if not has_one_in_hand then table.insert(fetched, {place, '', element, list - 2}) end
    return nil
  end
  record(tag, '[' .. element .. ARGV[4 + 2 * place])
  table.insert(fetched, {place, tag, element, list - 2})
  return true
end

local waiting = {}
for place = 1, queues do waiting[place] = place end

-- A step of 0, where there are no queues, would never end.
for first = 3, #KEYS, math.max(queues, 1) do
  local turn, empty = 1, {}
  while turn <= queues and #fetched < most do
    local place = waiting[turn]
    local found = not empty[place] and fetch(place, first + place - 1)
    if found == nil then return result() end
    if found then
      -- As kombu does: the queue that had its turn is the last of the next round.
      table.insert(waiting, table.remove(waiting, turn))
      turn = 1
    else
      empty[place] = true
      turn = turn + 1
    end
  end
end
return result()
