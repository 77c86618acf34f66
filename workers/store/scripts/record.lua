-- Part of the scripts that write a case with an audit line, behind write.lua.

local added = 0 -- cases of the present shard that are new

-- record writes a case (its value behind the version it was read at) and gives whether it was not stale; done arms its timer.
local function record(prefix, member, value)
  local fresh, new = write(prefix .. 'c:', member, value, 1, #value)
  if new then added = added + 1 end
  return fresh
end

local function audit(prefix, most, at, id, line)
  call('XADD', prefix .. 'audit', 'MAXLEN', '~', most, '*', 'at', at, 'id', id, 'line', line)
end

local function done(prefix)
  settle_timers(prefix .. 'cd')
  if added > 0 then call('HINCRBY', prefix .. 'n', 'c', added) end
  added = 0
end
