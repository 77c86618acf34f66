-- attempt_settle writes how attempts ended, and in the same step each one's case and an audit line. A stale case does not undo the ledger.
-- What was sent before a loss of memory is written even where the loss took the slot or its last moves: it is the truth about money.
-- Of each item (items.lua): [1] epoch, [2] seen, [3] member, [4] slot, [5] the finished slot as the caller sees it, [6] value of the case
-- behind its expected version, or '', [7] audit line or '', [8] most lines, [9] at in ms, [10] id for people
-- Replies with '1', or '0' when the case was stale; the integers 0 when memory was lost, 3 fenced, 4 not sent.

-- later takes from the slot as it stands what is newer in it, when it is not the one that the caller has seen. Gives what forbids the move, or
-- the times sent and when last (6 bytes).
local function later(old, mine, epoch)
  local state, token, before = byte(mine, 2), u32(mine, 7) * TWO32 + u32(mine, 11), u32(mine, 7) < epoch -- memory was lost since the claim
  local n, sent = u32(mine, 3), sub(mine, 21, 26)
  if not old then return not before and FENCED, n, sent end
  local theirs, was = u32(old, 7) * TWO32 + u32(old, 11), byte(old, 2)
  if theirs > token or (theirs < token and not before) then return FENCED end
  local again = was == state and (was == SETTLED or was == REFUSED)
  if not (was == SENT or was == UNKNOWN or again or (before and was ~= SETTLED)) then return ILLEGAL end
  if u32(old, 3) > n then n = u32(old, 3) end
  if u48(old, 21) > u48(sent, 1) then sent = sub(old, 21, 26) end
  return false, n, sent
end

local NO_LEASE = '\0\0\0\0\0\0'

local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local ledger, name, mine = prefix .. 'l:' .. ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  local old, new = call('HGET', ledger, name), nil
  if old and byte(old, 2) == byte(mine, 2) and sub(old, 7, 14) == sub(mine, 7, 14) and sub(old, 27, 34) == sub(mine, 27, 34) then
    return '1' -- this very call, repeated by the client library: everything is written
  end
  if old and byte(old, 2) == SENT and sub(old, 3, 14) == sub(mine, 3, 14) and sub(old, 21, 26) == sub(mine, 21, 26) then
    new = sub(mine, 1, 14) .. NO_LEASE .. sub(mine, 21) -- as nearly always
  else
    local no, n, sent = later(old, mine, tonumber(ARGV[a + 1]))
    if no then return no end
    new = slot(byte(mine, 2), n, sub(mine, 7, 14), NO_LEASE, sent, sub(mine, 27, 34), sub(mine, 35))
  end
  call('HSET', ledger, name, new)
  local fresh = ARGV[a + 6] == '' or record(prefix, ARGV[a + 3], ARGV[a + 6])
  if ARGV[a + 7] ~= '' then audit(prefix, ARGV[a + 8], ARGV[a + 9], ARGV[a + 10], ARGV[a + 7]) end
  return fresh and '1' or '0'
end
