-- attempt_claim takes the right to answer (or to learn what became of an answer) in one slot of the ledger.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:l:<member>
-- ARGV[1] epoch, [2] sequence, [3] slot, [4] now in ms, [5] end of the lease (6 bytes), [6] writer (8 bytes)
-- Returns {slot, sequence as a string}; the integers 0 when memory was lost, 1 when another holds it, 5 when the slot is an answer's and
-- the answer of another turn may still be out.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
local old = call('HGET', KEYS[2], ARGV[3])
local state = old and byte(old, 2) or 0
if state == SETTLED then return {old, ARGV[2]} end
if old and number(old, 15, 6) > tonumber(ARGV[4]) then
  if sub(old, 27, 34) == ARGV[6] then return {old, ARGV[2]} end
  return HELD
end
local became = (state == SENT or state == UNKNOWN) and UNKNOWN or CLAIMED
if became == CLAIMED and byte(ARGV[3], 9) == ANSWER and call('HLEN', KEYS[2]) > (old and 1 or 0) then
  local all = call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    local was = byte(all[i + 1], 2)
    if all[i] ~= ARGV[3] and byte(all[i], 9) == ANSWER and (was == SENT or was == UNKNOWN) then return UNRESOLVED end
  end
end
local s = call('HINCRBY', KEYS[1], 's', 1)
local low = s % TWO32
local token = four(tonumber(ARGV[1]) + (s - low) / TWO32) .. four(low)
local n, sent, body = 0, '\0\0\0\0\0\0', ''
if old then n, sent, body = number(old, 3, 4), sub(old, 21, 26), sub(old, 35) end
local new = slot(became, n, token, ARGV[5], sent, ARGV[6], body)
call('HSET', KEYS[2], ARGV[3], new)
return {new, string.format('%.0f', s)}
