-- attempt_release gives a claim back: nothing was sent, or nothing could be learned of what was.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:l:<member>
-- ARGV[1] epoch, [2] sequence, [3] slot, [4] token (8 bytes)
-- Returns '1', also when the claim is not held any more; the integers 0 when memory was lost, 4 when it was sent.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
local old = call('HGET', KEYS[2], ARGV[3])
if not old or sub(old, 7, 14) ~= ARGV[4] then return '1' end
local state, n = byte(old, 2), number(old, 3, 4)
if state == SENT then return ILLEGAL end
if state == CLAIMED then
  if n == 0 then
    call('HDEL', KEYS[2], ARGV[3])
    return '1'
  end
  state = 0
end
call('HSET', KEYS[2], ARGV[3], slot(state, n, ARGV[4], '\0\0\0\0\0\0', sub(old, 21, 26), sub(old, 27, 34), sub(old, 35)))
return '1'
