-- attempt_intent makes a coming send durable, if the claim still holds, no kill switch covers it and no money is frozen.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:l:<member>, KEYS[3] wk:{NN}:kill
-- ARGV[1] epoch, [2] sequence, [3] slot, [4] now in ms, [5] now (6 bytes), [6] writer (8 bytes), [7] token (8 bytes), [8] what is sent,
-- [9] back to when everything must be remembered, in ms; from [10] on the scopes of the kill switches that cover it
-- Returns {slot, sequence as a string}; the integers 0 when memory was lost, 2 frozen, 3 fenced, 4 not claimed, 6 a switch is on.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
local now, old = tonumber(ARGV[4]), call('HGET', KEYS[2], ARGV[3])
if not old or sub(old, 7, 14) ~= ARGV[7] then return FENCED end
if byte(old, 2) == SENT and sub(old, 27, 34) == ARGV[6] then return {old, ARGV[2]} end
if byte(old, 2) ~= CLAIMED then return ILLEGAL end
if number(old, 15, 6) <= now then return FENCED end
for _, switch in ipairs(call('HMGET', KEYS[3], unpack(ARGV, 10))) do
  if switch and byte(switch, 1) == ON then return KILLED end
end
if tonumber(call('HGET', KEYS[1], 'f') or '0') > tonumber(ARGV[9]) then return FROZEN end
local new = slot(SENT, number(old, 3, 4) + 1, ARGV[7], sub(old, 15, 20), ARGV[5], ARGV[6], ARGV[8])
call('HSET', KEYS[2], ARGV[3], new)
local s = call('HINCRBY', KEYS[1], 's', 1)
return {new, string.format('%.0f', s)}
