-- approve writes a case with what a person said about it, if it still has the version it was read at, and in the same step the audit line.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:audit
-- ARGV[1] epoch, [2] sequence, [3] "wk:{NN}:", [4] member, [5] value of the case behind its expected version, [6] audit line, [7] most
-- lines, [8] at in ms, [9] id for people
-- Returns '1', or '0' when the case was stale and nothing was written; the integer 0 when memory was lost.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
if call('HEXISTS', ARGV[3] .. 'c:' .. sub(ARGV[4], 1, 2), sub(ARGV[4], 3)) == 0 then return '0' end
if not write(ARGV[3] .. 'c:', ARGV[4], ARGV[5], 1, #ARGV[5]) then return '0' end
settle_timers(ARGV[3] .. 'cd')
call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'at', ARGV[8], 'id', ARGV[9], 'line', ARGV[6])
return '1'
