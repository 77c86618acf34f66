-- kill throws a kill switch of one shard, or takes it back. What was taken back stays written down, so that the newest word on a scope is
-- known wherever an older one is found; each word is newer than the last, whatever the callers' clocks say.
-- KEYS[1] wk:{NN}:kill
-- ARGV[1] scope, [2] '1' on or '0' off, [3] now in ms, [4] note
-- Returns the word as it is kept: state, instant in ms and note, with blanks between them.
local old, at = redis.call('HGET', KEYS[1], ARGV[1]), tonumber(ARGV[3])
if old then at = math.max(at, tonumber(string.match(old, '^%d (%d+)')) + 1) end
local new = ARGV[2] .. ' ' .. string.format('%.0f', at) .. ' ' .. ARGV[4]
redis.call('HSET', KEYS[1], ARGV[1], new)
return new
