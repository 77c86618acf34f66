-- vault_lock takes the right to refresh a credential.
-- KEYS[1] wk:{NN}:t:<store>
-- ARGV[1] owner, [2] now in ms, [3] end of the lock in ms
-- Returns 1 when the owner holds it, 0 when another does.
local h = redis.call('HMGET', KEYS[1], 'o', 'u')
if h[1] and h[1] ~= ARGV[1] and tonumber(h[2]) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'o', ARGV[1], 'u', ARGV[3])
return 1
