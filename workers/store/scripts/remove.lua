-- remove forgets records of one class, with their timers; cases also with their ledger.
-- KEYS wk:{NN}:epoch of each shard
-- ARGV[1] class, then for each shard: epoch, seen, "wk:{NN}:", and for each item: length of member (1 byte), member
-- Returns for each shard how many records there are now as a string; the integer 0 when memory was lost.
local class = ARGV[1]

local function remove(prefix, items)
  local head, gone, i, n = prefix .. class .. ':', 0, 1, #items
  while i <= n do
    local ml = byte(items, i)
    local member = sub(items, i + 1, i + ml)
    i = i + 1 + ml
    local key, field = head .. sub(member, 1, 2), sub(member, 3)
    local old = call('HGET', key, field)
    if old then
      call('HDEL', key, field)
      gone = gone + 1
      disarm(member, old, 2)
    end
    if class == 'c' then call('DEL', prefix .. 'l:' .. member) end
  end
  settle_timers(prefix .. class .. 'd')
  return tostring(call('HINCRBY', prefix .. 'n', class, 0 - gone)) -- and not -gone: Redis refuses the text "-0"
end

local replies = {}
for k = 1, #KEYS do
  local a = 4 * k - 2
  replies[k] = amnesia(KEYS[k], ARGV[a], ARGV[a + 1]) and 0 or remove(ARGV[a + 2], ARGV[a + 3])
end
return replies
