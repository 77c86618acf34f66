-- claims remembers that a buyer opened a dispute.
-- KEYS[1] wk:{NN}:b:<period>:<bucket>
-- ARGV[1] buyer (8 bytes), [2] dispute (4 bytes of its hash), [3] when it was opened (4 bytes), [4] ms after which the key may go
-- Returns '1' when it was not known.
local list = redis.call('HGET', KEYS[1], ARGV[1]) or ''
for i = 1, #list, 8 do
  if string.sub(list, i, i + 3) == ARGV[2] then return '0' end
end
redis.call('HSET', KEYS[1], ARGV[1], list .. ARGV[2] .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return '1'
