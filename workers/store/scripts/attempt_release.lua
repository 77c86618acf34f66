-- attempt_release gives claims back: nothing was sent, or nothing could be learned of what was.
-- Of each item (items.lua): [1] epoch, [2] seen, [3] member, [4] slot, [5] token (8 bytes)
-- Replies with '1', also when the claim is not held any more; the integers 0 when memory was lost, 4 when it was sent.
local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local ledger, name = prefix .. 'l:' .. ARGV[a + 3], ARGV[a + 4]
  local old = call('HGET', ledger, name)
  if not old or sub(old, 7, 14) ~= ARGV[a + 5] then return '1' end
  local state, n = byte(old, 2), u32(old, 3)
  if state == SENT then return ILLEGAL end
  if state == CLAIMED then
    if n == 0 then
      call('HDEL', ledger, name)
      return '1'
    end
    state = 0
  end
  call('HSET', ledger, name, slot(state, n, ARGV[a + 5], '\0\0\0\0\0\0', sub(old, 21, 26), sub(old, 27, 34), sub(old, 35)))
  return '1'
end
