-- The end of every script that works on the items of several callers in one run. KEYS[k] is wk:{NN}:epoch of the k-th item's shard, and items of
-- one shard stand together; ARGV[1] is how many arguments each item has, and they follow item by item. one(key, prefix, a) does the work of
-- the item whose arguments stand behind ARGV[a], done(prefix) what is left to do for a shard. An item that fails has its error as its
-- reply, and the others go on.
local width, replies, first = tonumber(ARGV[1]), {}, 1

local function reply_of(ok, reply)
  if ok or type(reply) == 'table' then return reply end
  return {err = tostring(reply)}
end

for k = 1, #KEYS do
  local key = KEYS[k]
  local prefix = sub(key, 1, -6)
  replies[k] = reply_of(pcall(one, key, prefix, (k - 1) * width + 1))
  if KEYS[k + 1] ~= key then
    local ok, failed = pcall(done, prefix)
    for i = first, ok and 0 or k do replies[i] = reply_of(false, failed) end
    first = k + 1
  end
end
return replies
