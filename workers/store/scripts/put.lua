-- put writes records of one class, each if it still has the version it was read at, with their timers.
-- KEYS wk:{NN}:epoch of each shard
-- ARGV[1] class, then for each shard: epoch, seen, "wk:{NN}:", and for each item: length of member (1 byte), member, length of the rest
-- (2 bytes), the version it was read at (4 bytes), record
-- Returns for each shard a string with '1' (written) or '0' (stale) for each item, and behind them how many records there are now if any
-- was new; the integer 0 when memory was lost.
local class = ARGV[1]

local function put(prefix, items)
  local head, out, k, added, i, n = prefix .. class .. ':', {}, 0, 0, 1, #items
  while i <= n do
    local ml = byte(items, i)
    local member = sub(items, i + 1, i + ml)
    i = i + 1 + ml
    local hi, lo = byte(items, i, i + 1)
    local stop = i + 1 + hi * 256 + lo
    local ok, new = write(head, member, items, i + 2, stop)
    k = k + 1
    out[k] = ok and '1' or '0'
    if new then added = added + 1 end
    i = stop + 1
  end
  settle_timers(prefix .. class .. 'd')
  if added > 0 then out[k + 1] = call('HINCRBY', prefix .. 'n', class, added) end
  return table.concat(out)
end

local replies = {}
for k = 1, #KEYS do
  local a = 4 * k - 2
  replies[k] = amnesia(KEYS[k], ARGV[a], ARGV[a + 1]) and 0 or put(ARGV[a + 2], ARGV[a + 3])
end
return replies
