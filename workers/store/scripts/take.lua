-- take asks for one call of a shared allowance (GCRA: a schedule of calls spaced evenly, which may run ahead by one period).
-- KEYS[1] wk:{NN}:g:<key>
-- ARGV[1] now in µs, [2] µs between two calls, [3] µs of a period, [4] ms after which the key may go
-- Returns how many µs to wait as a string; "0" when the call was granted.
local now, gap, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = at + gap - now - period
if wait > 0.5 then return string.format('%.0f', math.ceil(wait)) end
redis.call('SET', KEYS[1], string.format('%.3f', at + gap), 'PX', ARGV[4])
return '0'
