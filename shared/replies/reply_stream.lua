-- Append a turn's events to the stream of its response and wake who waits.
--
-- The event that ends a response whose stream was never begun is told to whoever waits and not kept:
-- the ledger has it, and most responses are not streamed.
--
-- KEYS[1]  the stream            forebay:{<message id>}:events
-- KEYS[2]  the writer's attempt  forebay:{<message id>}:attempt
-- ARGV[1]  channel to wake
-- ARGV[2]  attempt number of the writer, its fence
-- ARGV[3]  seconds both keys are kept after this write
-- ARGV[4]  sequence number of the first event of an empty stream
-- ARGV[5]  'end' when the event is the one that ends the response, 'handoff' when a human has it
--          now, else ''
-- ARGV[6…] events, JSON without their sequence number
--
-- A wake-up carries the events where they are small (wakeups.py says how it reads). An end or a
-- handoff that is written again wakes again and is not kept twice.
--
-- Returns the sequence number of the last event, 0 when it was not kept, or -1 when a later attempt
-- has written: a worker that lost its lease can no longer speak. Sequence numbers have no gaps.

-- What is published waits in Redis for each door that is slow to read it.
local LARGEST_WAKE_UP = 65536

local attempt = tonumber(ARGV[2])
local writer = tonumber(redis.call('GET', KEYS[2]) or '0')
if attempt < writer then
  return -1
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local mark = ARGV[5]
if mark == 'end' and not last then
  redis.call('PUBLISH', ARGV[1], #ARGV[6] > LARGEST_WAKE_UP and 0 or ARGV[6])
  return 0
end
if attempt > writer then
  redis.call('SET', KEYS[2], attempt, 'EX', ARGV[3])
end

local sequence = last and tonumber(string.match(last[1], '^(%d+)')) or ARGV[4] - 1
local fields = last and last[2] or {}
if mark == '' then
  for i = 6, #ARGV do
    sequence = sequence + 1
    redis.call('XADD', KEYS[1], sequence .. '-0', 'e', ARGV[i])
  end
elseif fields[3] ~= mark or fields[4] ~= ARGV[2] then
  sequence = sequence + 1
  redis.call('XADD', KEYS[1], sequence .. '-0', 'e', ARGV[6], mark, attempt)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
local told = sequence .. '\n' .. table.concat(ARGV, '\n', 6)
redis.call('PUBLISH', ARGV[1], #told > LARGEST_WAKE_UP and sequence or told)
return sequence
