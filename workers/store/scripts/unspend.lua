-- unspend gives back what was reserved for a slot, unless a later claim has reserved it anew.
-- KEYS[1] wk:{00}:epoch (only to find the server)
-- ARGV[1] "wk:{00}:m", [2] dispute, [3] store, [4] slot (9 bytes), [5] token
-- Returns '1' when something was given back.
local old = call('HGET', ARGV[1] .. 'c:' .. ARGV[2], ARGV[4])
if not old then return '0' end
local was = parse(old)
if was.token > tonumber(ARGV[5]) then return '0' end
forget(ARGV[1], ARGV[2], ARGV[3], ARGV[4], was)
return '1'
