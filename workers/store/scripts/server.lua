-- Part of the scripts that compare memory or let something be sent.
--
-- A server that a shard has not been on before was started anew, or took over: it may have lost the last that was written, and what one process alone
-- was told of is missed by that one only. So every process has time to compare (epoch.lua, once a second) before anything is sent.
local STRANGE = 15000000 -- µs
local here -- what this server says of itself: its name and its time in µs; the name is false where it does not tell

local function server()
  if not here then
    local info = redis.pcall('INFO', 'server')
    local told = type(info) == 'string'
    here = {told and string.match(info, 'run_id:(%x+)') or false, told and tonumber(string.match(info, 'server_time_usec:(%d+)')) or 0}
  end
  return here[1], here[2]
end

-- strange tells whether a shard has been on this server for too short a time; key is wk:{NN}:epoch. It is told by the server's own clock.
local function strange(key)
  local name, now = server()
  if not name then return false end
  local h = redis.call('HMGET', key, 'r', 'w')
  local wait = tonumber(h[2] or '0')
  if h[1] ~= name then
    redis.call('HSET', key, 'r', name)
    if h[1] then
      wait = now + STRANGE
      redis.call('HSET', key, 'w', string.format('%.0f', wait))
    end
  end
  return wait > now
end
