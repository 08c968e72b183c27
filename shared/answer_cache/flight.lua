-- What the leader of a flight says of it; whoever does not lead it (any more) is not heard.
--
-- KEYS   1 flight
-- ARGV   1 the leader   2 renew | landed | lost   3 ms: of silence, or that all fly alone after
--        4 channel of those who wait
-- Reply  1 when the leader was heard

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == 'renew' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
end
if ARGV[2] == 'landed' then
  redis.call('DEL', KEYS[1])
else
  -- Whoever waited calls by itself: one after the other they would all come too late.
  redis.call('SET', KEYS[1], '-', 'PX', ARGV[3])
end
redis.call('PUBLISH', ARGV[4], '')
return 1
