-- unlease ends leases that claims gave: what they look away from is due now.
-- KEYS wk:{NN}:epoch of each shard
-- ARGV[1] class, [2] now (6 bytes), [3] ms: leases that end later stay, then for each shard: epoch, seen, "wk:{NN}:", about how many
-- Returns for each shard how many it ended as a string; the integer 0 when memory was lost.
local class, now, till = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at, own = instant(now, 1), exact(now, 1)

-- entries ends the leases of a leaf for one millisecond. Only the end of a lease lies in such a leaf ahead of now: what came too late for
-- its leaf is behind.
local function entries(head, key, leaf)
  local found, ended = call('HGETALL', key), 0
  for i = 1, #found, 2 do
    local member = found[i]
    local bucket, field = head .. sub(member, 1, 2), sub(member, 3)
    local record = call('HGET', bucket, field)
    if record and sub(record, 2, 7) == sub(leaf, 1, 3) .. found[i + 1] then
      call('HSET', bucket, field, sub(record, 1, 1) .. own .. sub(record, 8))
      arm(member, own, 1, own, at, 1)
      ended = ended + 1
    end
  end
  call('DEL', key)
  return ended
end

local function unlease(prefix, limit)
  local idx, ended = prefix .. class .. 'd', 0
  for _, leaf in ipairs(call('ZRANGEBYSCORE', idx, string.format('(%.0f', at), string.format('%.0f', till))) do
    if ended >= limit then break end
    local key, first, width = idx .. ':' .. leaf, span(leaf)
    if width == 1 then
      ended = ended + entries(prefix .. class .. ':', key, leaf)
      call('ZREM', idx, leaf)
    elseif first + width <= at + 1 then -- its span is over, and still it lies ahead: it is leased as a whole
      call('ZADD', idx, at, leaf)
      ended = ended + call('HLEN', key)
    end
  end
  settle_timers(idx)
  return string.format('%.0f', ended)
end

local replies = {}
for k = 1, #KEYS do
  local a = 4 * k
  replies[k] = amnesia(KEYS[k], ARGV[a], ARGV[a + 1]) and 0 or unlease(ARGV[a + 2], tonumber(ARGV[a + 3]))
end
return replies
