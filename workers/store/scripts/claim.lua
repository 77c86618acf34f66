-- claim takes what is due and looks away from it until the end of the lease; in each shard the leaf with the oldest entry comes first. A leaf
-- whose span is over is taken whole if it is not large, and then only the index is written; of other leaves each entry is moved. An entry
-- whose record is gone, or has another instant, is dropped.
-- KEYS wk:{NN}:epoch of each shard
-- ARGV[1] class, [2] now in ms, [3] end of the lease (6 bytes), then for each shard: epoch, seen, "wk:{NN}:", limit
-- Returns for each shard a list of members, each followed by its record as it was before the claim; the integer 0 when memory was lost. It
-- has limit entries if so many are due, and more when the last leaf was taken whole; never more when the class is of feeds.
local class, now, lease = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local till = instant(lease, 1)
local head, out, claimed -- of the present shard

-- take claims one entry if its record agrees.
local function take(member, due)
  local key, field = head .. sub(member, 1, 2), sub(member, 3)
  local record = call('HGET', key, field)
  if not record or sub(record, 2, 7) ~= due then return end
  call('HSET', key, field, sub(record, 1, 1) .. lease .. sub(record, 8))
  out[2 * claimed + 1], out[2 * claimed + 2] = member, record
  claimed = claimed + 1
  arm(member, lease, 1, lease, till, 1)
end

-- entries reads a leaf: all of it, or some more than are wanted when it is large and all of it is due.
local function entries(key, leaf, want)
  local first, width = span(leaf)
  if first + width > now + 1 or call('HLEN', key) <= 2 * want then return call('HGETALL', key), true end
  local got, cursor = {}, '0'
  repeat
    local page = call('HSCAN', key, cursor, 'COUNT', want)
    cursor = page[1]
    for _, v in ipairs(page[2]) do got[#got + 1] = v end
  until cursor == '0' or #got >= 2 * want
  return got, cursor == '0'
end

-- looked_to remembers that claims have looked into leaves up to an instant.
local function looked_to(epoch, ms)
  if ms > looked then
    looked = ms
    call('HSET', epoch, 'l', ms)
  end
end

-- whole takes a leaf with all its entries, if its span is over and it is not large.
local function whole(epoch, idx, leaf, limit)
  local first, width = span(leaf)
  if width == 1 or class == 'f' or first + width > now + 1 then return false end
  local key, high = idx .. ':' .. leaf, sub(leaf, 1, 3)
  if call('HLEN', key) > 2 * limit then return false end
  local found, gone = call('HGETALL', key), {}
  for i = 1, #found, 2 do
    local member = found[i]
    local record = call('HGET', head .. sub(member, 1, 2), sub(member, 3))
    if record and sub(record, 2, 7) == high .. found[i + 1] then
      out[2 * claimed + 1], out[2 * claimed + 2] = member, record
      claimed = claimed + 1
    else
      gone[#gone + 1] = member
    end
  end
  if #gone > 0 then many(gone, 'HDEL', key) end
  if 2 * #gone == #found then
    call('ZREM', idx, leaf)
  else
    call('ZADD', idx, till, leaf)
    looked_to(epoch, first + width - 1)
  end
  return true
end

-- some takes the due entries of a leaf up to the limit, and moves each to the end of the lease.
local function some(epoch, idx, leaf, limit)
  local key, high = idx .. ':' .. leaf, sub(leaf, 1, 3)
  local base = instant(high .. '\0\0\0', 1)
  local found, complete = entries(key, leaf, limit - claimed)
  local taken, soonest = {}, nil
  for i = 1, #found, 2 do
    local low = found[i + 1]
    local a, b, c = byte(low, 1, 3)
    local due = c and #low == 3 and base + (a * 256 + b) * 256 + c
    if not due then
      taken[#taken + 1] = found[i] -- damaged: nothing can be claimed by it
    elseif due <= now and claimed < limit then
      taken[#taken + 1] = found[i]
      take(found[i], high .. low)
    elseif not soonest or due < soonest then
      soonest = due
    end
  end
  if #taken > 0 then many(taken, 'HDEL', key) end
  if complete and not soonest then
    call('ZREM', idx, leaf)
  elseif complete then
    call('ZADD', idx, soonest, leaf)
    looked_to(epoch, now)
  end
end

local function claim(epoch, prefix, limit)
  local idx = prefix .. class .. 'd'
  head, out, claimed = prefix .. class .. ':', {}, 0
  while claimed < limit do
    local leaf = call('ZRANGEBYSCORE', idx, '-inf', now, 'LIMIT', 0, 1)[1]
    if not leaf then break end
    if not whole(epoch, idx, leaf, limit) then some(epoch, idx, leaf, limit) end
  end
  settle_timers(idx)
  return out
end

-- A shard that fails does not stop the others: what they claimed is leased and must be given out.
local replies = {}
for k = 1, #KEYS do
  local a = 4 * k
  if amnesia(KEYS[k], ARGV[a], ARGV[a + 1]) then
    replies[k] = 0
  else
    local ok, reply = pcall(claim, KEYS[k], ARGV[a + 2], tonumber(ARGV[a + 3]))
    replies[k] = (ok or type(reply) == 'table') and reply or {err = tostring(reply)}
  end
end
return replies
