-- presence notes that a process lives, and which others it found to be gone, each if it has not beaten since.
-- KEYS[1] wk:{00}:alive
-- ARGV[1] process (4 bytes), [2] its beats (8 bytes) or '' to look only, [3] who is gone: process (4 bytes) and the beats last seen (8 bytes),
-- one after the other, [4] now in ms, [5] ms for which it is remembered who is gone
-- Returns each process, followed by its beats or by 'g', who found it gone (4 bytes) and when in ms. Beating again undoes that.
local me, beats, found, now, kept = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
for i = 1, #found, 12 do
  local who = string.sub(found, i, i + 3)
  if redis.call('HGET', KEYS[1], who) == string.sub(found, i + 4, i + 11) then
    redis.call('HSET', KEYS[1], who, 'g' .. me .. string.format('%.0f', now))
  end
end
if beats ~= '' then redis.call('HSET', KEYS[1], me, beats) end
local all, out = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local said = all[i + 1]
  if #said > 8 and (tonumber(string.sub(said, 6)) or 0) < now - kept then
    redis.call('HDEL', KEYS[1], all[i])
  else
    out[#out + 1] = all[i]
    out[#out + 1] = said
  end
end
return out
