-- attempt_settle writes how an attempt ended, and in the same step the case and an audit line. A stale case does not undo the ledger.
-- What was sent before a loss of memory is written even where the loss took the slot or its last moves: it is the truth about money.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:l:<member>, KEYS[3] wk:{NN}:audit
-- ARGV[1] epoch, [2] sequence, [3] slot, [4] the finished slot as the caller sees it, [5] "wk:{NN}:", [6] member,
-- [7] value of the case behind its expected version, or '', [8] audit line or '', [9] most lines, [10] at in ms, [11] id for people
-- Returns '1', or '0' when the case was stale; the integers 0 when memory was lost, 3 fenced, 4 not sent.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
local mine, old = ARGV[4], call('HGET', KEYS[2], ARGV[3])
local state, token = byte(mine, 2), number(mine, 7, 8)
local before = math.floor(token / TWO32) < tonumber(ARGV[1]) -- memory was lost since the claim
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
call('HSET', KEYS[2], ARGV[3], slot(state, n, sub(mine, 7, 14), '\0\0\0\0\0\0', sent, sub(mine, 27, 34), sub(mine, 35)))
local fresh = true
if ARGV[7] ~= '' then
  local ok, new = write(ARGV[5] .. 'c:', ARGV[6], ARGV[7], 1, #ARGV[7])
  fresh = ok
  settle_timers(ARGV[5] .. 'cd')
  if new then call('HINCRBY', ARGV[5] .. 'n', 'c', 1) end
end
if ARGV[8] ~= '' then
  call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[9], '*', 'at', ARGV[10], 'id', ARGV[11], 'line', ARGV[8])
end
return fresh and '1' or '0'
