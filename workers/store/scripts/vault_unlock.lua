-- vault_unlock gives the right to refresh back; a lock of another owner stays.
-- KEYS[1] wk:{NN}:t:<store>
-- ARGV[1] owner
-- Returns 1 when it was given back, 0 otherwise.
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'o', 'u')
return 1
