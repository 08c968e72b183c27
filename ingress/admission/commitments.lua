-- Messages that were admitted and are committed now: their short lease becomes the long one.
-- Whatever holds no slot any more (settled already, or its lease was cleared away) gets none.
--
-- KEYS  1 slots (account.lua)
-- ARGV  1 now, '' for the server's clock (tests pass a time); then for each message its id and the
--       seconds until its lease ends

local now = tonumber(ARGV[1]) or server_time()
for i = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'XX', now + ARGV[i + 1], ARGV[i])
end
return #ARGV
