-- The end of every script that works on the items of several callers in one run. KEYS[k] is wk:{NN}:epoch of the k-th item's shard, and items of
-- one shard stand together; ARGV[1] is how many arguments each item has, and they follow item by item. one(key, prefix, a) does the work of
-- the item whose arguments stand behind ARGV[a], done(prefix) what is left to do for a shard. An item that fails has its error as its
-- reply, and the others go on.
local width, replies = tonumber(ARGV[1]), {}
for k = 1, #KEYS do
  local key = KEYS[k]
  local prefix = sub(key, 1, -6)
  local ok, reply = pcall(one, key, prefix, (k - 1) * width + 1)
  if not ok and type(reply) ~= 'table' then reply = {err = reply} end
  replies[k] = reply
  if KEYS[k + 1] ~= key then done(prefix) end
end
return replies
