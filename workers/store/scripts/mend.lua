-- mend brings kill switches that a shard has lost or missed, unless it has a newer word on their scope. Of two words of one instant, the
-- one that stops wins.
-- KEYS[1] wk:{NN}:kill
-- ARGV pairs of scope and word, as kill.lua keeps it
-- Returns how many were written.
local function rank(word)
  local on, at = string.match(word, '^(%d) (%d+)')
  return tonumber(at) * 2 + tonumber(on)
end
local mended = 0
for i = 1, #ARGV, 2 do
  local old = redis.call('HGET', KEYS[1], ARGV[i])
  if not old or rank(old) < rank(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    mended = mended + 1
  end
end
return mended
