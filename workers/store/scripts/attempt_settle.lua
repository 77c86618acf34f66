-- attempt_settle writes how attempts ended, and in the same step each one's case and an audit line. A stale case does not undo the ledger.
-- What was sent before a loss of memory is written even where the loss took the slot or its last moves: it is the truth about money.
-- Of each item (items.lua): [1] epoch, [2] sequence, [3] member, [4] slot, [5] the finished slot as the caller sees it, [6] value of the case
-- behind its expected version, or '', [7] audit line or '', [8] most lines, [9] at in ms, [10] id for people
-- Replies with '1', or '0' when the case was stale; the integers 0 when memory was lost, 3 fenced, 4 not sent.
local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local ledger, name, mine = prefix .. 'l:' .. ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  local old = call('HGET', ledger, name)
  local state, token = byte(mine, 2), number(mine, 7, 8)
  local before = math.floor(token / TWO32) < tonumber(ARGV[a + 1]) -- memory was lost since the claim
  local n, sent = number(mine, 3, 4), sub(mine, 21, 26)
  if old then
    local theirs, was = number(old, 7, 8), byte(old, 2)
    if theirs > token or (theirs < token and not before) then return FENCED end
    local again = was == state and (was == SETTLED or was == REFUSED)
    if not (was == SENT or was == UNKNOWN or again or (before and was ~= SETTLED)) then return ILLEGAL end
    if number(old, 3, 4) > n then n = number(old, 3, 4) end
    if number(old, 21, 6) > number(sent, 1, 6) then sent = sub(old, 21, 26) end
  elseif not before then
    return FENCED
  end
  call('HSET', ledger, name, slot(state, n, sub(mine, 7, 14), '\0\0\0\0\0\0', sent, sub(mine, 27, 34), sub(mine, 35)))
  local fresh = ARGV[a + 6] == '' or record(prefix, ARGV[a + 3], ARGV[a + 6])
  if ARGV[a + 7] ~= '' then audit(prefix, ARGV[a + 8], ARGV[a + 9], ARGV[a + 10], ARGV[a + 7]) end
  return fresh and '1' or '0'
end
