-- unspend gives back what was reserved for slots, unless a later claim has reserved it anew.
-- Of each item (items.lua; the shard is always the first one): [1] dispute, [2] store, [3] slot (9 bytes), [4] token
-- Replies with '1' when something was given back.
local function one(_, prefix, a)
  local head, dispute, slot = prefix .. 'm', ARGV[a + 1], ARGV[a + 3]
  local old = call('HGET', head .. 'c:' .. dispute, slot)
  if not old then return '0' end
  local was = parse(old)
  if was.token > tonumber(ARGV[a + 4]) then return '0' end
  forget(head, dispute, ARGV[a + 2], slot, was)
  return '1'
end

local function done() end
