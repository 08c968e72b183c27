-- Pops the next element of a list and records it as unacknowledged, if it is still the one it was.
--
-- KEYS: the hash and the sorted set of unacknowledged messages, the list.
-- ARGV: now, the SHA1 of the element, its tag, its record.
-- Returns 1, or 0 where another element is next by now.

local element = redis.call('LINDEX', KEYS[3], -1)
if not element or redis.sha1hex(element) ~= ARGV[2] then return 0 end
-- A script that has begun to write is not stopped by a full memory.
redis.call('RPOP', KEYS[3])
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
return 1
