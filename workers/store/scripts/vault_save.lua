-- vault_save stores a credential if its version is still the given one.
-- KEYS[1] wk:{NN}:t:<store>
-- ARGV[1] version it was read at (0 for none), [2] new version, [3] sealed bytes
-- Returns 1 when stored, 0 when somebody else was first.
if (redis.call('HGET', KEYS[1], 'v') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'b', ARGV[3])
return 1
