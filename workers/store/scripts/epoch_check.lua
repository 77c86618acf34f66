-- Part of every script that writes: has a shard forgotten something since this process learned its epoch?
local call, byte, sub, char = redis.call, string.byte, string.sub, string.char

local looked -- up to which instant claims have looked into leaves of the present shard (timer.lua)

-- key is wk:{NN}:epoch; epoch and sequence are strings, as this process knows them.
local function amnesia(key, epoch, sequence)
  local h = call('HMGET', key, 'e', 's', 'l')
  looked = tonumber(h[3] or '0')
  return h[1] ~= epoch or tonumber(h[2] or '-1') < tonumber(sequence)
end
