-- How the flows stand, as the leader writes it once a second; it lapses when the leader is silent.
--
-- KEYS  1 hash
-- ARGV  1 milliseconds to live   2 1: instead of what was there, 0: beside it
--       3.. fields and values
if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
