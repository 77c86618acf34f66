-- approve writes cases with what a person said about them, each if it still has the version it was read at, and in the same step the audit line.
-- Of each item (items.lua): [1] epoch, [2] seen, [3] member, [4] value of the case behind its expected version, [5] audit line, [6] most
-- lines, [7] at in ms, [8] id for people
-- Replies with '1', or '0' when the case was stale and nothing was written; the integer 0 when memory was lost.
local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local member = ARGV[a + 3]
  if call('HEXISTS', prefix .. 'c:' .. sub(member, 1, 2), sub(member, 3)) == 0 then return '0' end
  if not record(prefix, member, ARGV[a + 4]) then return '0' end
  audit(prefix, ARGV[a + 6], ARGV[a + 7], ARGV[a + 8], ARGV[a + 5])
  return '1'
end
