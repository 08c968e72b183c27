-- Puts unacknowledged messages back into their lists, each only if it is still recorded.
--
-- KEYS: the hash and the sorted set of unacknowledged messages, then each message's list.
-- ARGV: RPUSH, to be popped next, or LPUSH, to be popped last; then each message's tag and element.

local command = ARGV[1]
for place = 1, #KEYS - 2 do
  local tag, element = ARGV[2 * place], ARGV[2 * place + 1]
  if redis.call('HDEL', KEYS[1], tag) == 1 then
    redis.call('ZREM', KEYS[2], tag)
    redis.call(command, KEYS[2 + place], element)
  end
end
