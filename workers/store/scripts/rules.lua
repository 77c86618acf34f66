-- rules notes which rulebook a process obeys, and forgets the processes that were silent for long.
-- KEYS[1] wk:{00}:rules
-- ARGV[1] process, [2] hash of its rulebook, [3] now in ms, [4] ms for which a silent process is kept
-- Returns nothing.
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], ' (%d+)$') or '0') < tonumber(ARGV[3]) - tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], all[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
