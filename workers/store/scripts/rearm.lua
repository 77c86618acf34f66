-- rearm moves the timers of records that did not change, each if it still has the version it was read at.
-- KEYS wk:{NN}:epoch of each shard
-- ARGV[1] class, then for each shard: epoch, seen, "wk:{NN}:", and for each item: length of member (1 byte), member, version
-- (4 bytes), instant (6 bytes)
-- Returns for each shard a string with '1' (moved) or '0' (gone or stale) for each item; the integer 0 when memory was lost.
local class = ARGV[1]

local function rearm(prefix, items)
  local head, out, k, i, n = prefix .. class .. ':', {}, 0, 1, #items
  while i <= n do
    local ml = byte(items, i)
    local member = sub(items, i + 1, i + ml)
    i = i + 1 + ml
    local key, field = head .. sub(member, 1, 2), sub(member, 3)
    local old = call('HGET', key, field)
    k = k + 1
    if old and sub(old, 8, 11) == sub(items, i, i + 3) then
      local due, leaf, ms, width = sub(items, i + 4, i + 9), place(items, i + 4)
      if late(ms, width) then
        due = exact(due, 1)
        leaf, width = due, 1
      end
      call('HSET', key, field, sub(old, 1, 1) .. due .. sub(old, 8))
      disarm(member, old, 2)
      if ms > 0 then arm(member, due, 1, leaf, ms, width) end
      out[k] = '1'
    else
      out[k] = '0'
    end
    i = i + 10
  end
  settle_timers(prefix .. class .. 'd')
  return table.concat(out)
end

local replies = {}
for k = 1, #KEYS do
  local a = 4 * k - 2
  replies[k] = amnesia(KEYS[k], ARGV[a], ARGV[a + 1]) and 0 or rearm(ARGV[a + 2], ARGV[a + 3])
end
return replies
