-- compare tells which items of one class are new, unchanged or changed.
-- KEYS wk:{NN}:epoch of each shard (only to find the server)
-- ARGV[1] class, then for each shard: "wk:{NN}:", and for each item: length of member (1 byte), member, fingerprint (8 bytes)
-- Returns for each shard a string, in it for each item '0' (new), '1' (unchanged), or '2', length of record (2 bytes) and the record
-- (changed).
local call, byte, sub, char = redis.call, string.byte, string.sub, string.char
local class = ARGV[1]

local function compare(prefix, items)
  local head, out, k, i, n = prefix .. class .. ':', {}, 0, 1, #items
  while i <= n do
    local print = i + 1 + byte(items, i)
    local record = call('HGET', head .. sub(items, i + 1, i + 2), sub(items, i + 3, print - 1))
    k = k + 1
    if not record then
      out[k] = '0'
    elseif sub(record, 12, 19) == sub(items, print, print + 7) then
      out[k] = '1'
    else
      local size = #record
      out[k] = '2' .. char(math.floor(size / 256), size % 256) .. record
    end
    i = print + 8
  end
  return table.concat(out)
end

local replies = {}
for k = 1, #KEYS do replies[k] = compare(ARGV[2 * k], ARGV[2 * k + 1]) end
return replies
