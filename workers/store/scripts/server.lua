-- Part of the scripts that compare memory or let something be sent.
--
-- A server that a shard has not been on before was started anew, or took over: it may have lost the last that was written, and what one process alone
-- was told of is missed by that one only. So every process has time to compare (epoch.lua, once a second) before anything is sent.
local STRANGE = 15000000 -- µs
local name, now -- of this server, and its time in µs; name is false where it tells one of them not, and nil before it was asked

-- strange tells whether a shard has been on this server for too short a time; key is wk:{NN}:epoch. It is told by the server's own clock, and one
-- that was put back since makes nobody wait.
local function strange(key)
  if name == nil then
    local info = redis.pcall('INFO', 'server')
    info = type(info) == 'string' and info or ''
    now = tonumber(string.match(info, 'server_time_usec:(%d+)') or '')
    name = now and string.match(info, 'run_id:(%x+)') or false
  end
  if not name then return false end
  local h = redis.call('HMGET', key, 'r', 'w')
  local wait = tonumber(h[2] or '0')
  if h[1] ~= name then
    if h[1] then wait = now + STRANGE end
    redis.call('HSET', key, 'r', name, 'w', string.format('%.0f', wait)) -- both in one call
  end
  return wait > now and wait <= now + STRANGE
end
