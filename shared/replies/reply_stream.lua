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
-- ARGV[5]  1 when the event is the one that ends the response
-- ARGV[6…] events, JSON without their sequence number
--
-- Returns the sequence number of the last event, 0 when it was not kept, or -1 when a later attempt
-- has written: a worker that lost its lease can no longer speak. Sequence numbers have no gaps.

local attempt = tonumber(ARGV[2])
local writer = tonumber(redis.call('GET', KEYS[2]) or '0')
if attempt < writer then
  return -1
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if ARGV[5] == '1' and not last[1] then
  redis.call('PUBLISH', ARGV[1], ARGV[6])
  return 0
end
if attempt > writer then
  redis.call('SET', KEYS[2], attempt, 'EX', ARGV[3])
end

local sequence = tonumber(ARGV[4]) - 1
if last[1] then
  sequence = tonumber(string.match(last[1][1], '^(%d+)'))
end
for i = 6, #ARGV do
  sequence = sequence + 1
  redis.call('XADD', KEYS[1], sequence .. '-0', 'e', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('PUBLISH', ARGV[1], sequence)
return sequence
