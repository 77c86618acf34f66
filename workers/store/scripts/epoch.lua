-- epoch compares what a shard remembers with what this process remembers of it, opens a new epoch when memory was lost, and gives the
-- numbers of the stores, making those that are missing. Every replica that runs it comes to the same result.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:stores, KEYS[3] wk:{NN}:n
-- ARGV[1] epoch as this process remembers it and [2] its name (4 bytes), then the sequence it remembers (0 and 0 when it knows nothing), [3] in ms,
-- until when money is frozen after a loss, [4] now in ms; then pairs of store and platform
-- Returns {epoch, sequence, frozen until, 1 when memory was lost, {store, "number platform", ...},
-- {cases, shipments, feeds}}, the numbers as strings.
local call = redis.call
local MOST = 64 -- fields of the hash, before the oldest are forgotten
local known, own, seen = tonumber(ARGV[1]), 'p' .. string.sub(ARGV[2], 1, 4), tonumber(string.sub(ARGV[2], 5))
local h = call('HMGET', KEYS[1], 'e', 's', 'f', 'o', own, 'x')
local e, s, f, told = tonumber(h[1] or '0'), tonumber(h[2] or '0'), tonumber(h[3] or '0'), tonumber(h[5] or h[6] or '0')
-- What this process was told is gone: the shard's own sequence would not show it when others have written since.
local lost = e == 0 or e < known or (e == known and told < seen)
if lost then
  e = math.max(e, known) + 1
  f = math.max(f, tonumber(ARGV[3]))
  call('HSET', KEYS[1], 'e', e, 's', s, 'f', f)
  if e > 1 then call('HSET', KEYS[1], 'o', ARGV[4]) end -- at the first start nothing was spent that could be forgotten
end
-- Who noticed the loss may have wanted a shorter freeze than others want.
local wanted = tonumber(h[4] or '-1') + tonumber(ARGV[3]) - tonumber(ARGV[4])
if not lost and h[4] and wanted > f then
  f = wanted
  call('HSET', KEYS[1], 'f', f)
end
strange(KEYS[1])
for i = 5, #ARGV, 2 do
  if not call('HGET', KEYS[2], ARGV[i]) then
    call('HSET', KEYS[2], ARGV[i], call('HLEN', KEYS[2]) .. ' ' .. ARGV[i + 1])
    s = call('HINCRBY', KEYS[1], 's', 1)
  end
end
local function text(n) return string.format('%.0f', n) end

-- prune forgets who was told something long ago, when there are many. It may still live: so x is the highest that any of them was told.
local function prune()
  if call('HLEN', KEYS[1]) <= MOST then return end
  local all, listed = call('HGETALL', KEYS[1]), {}
  for i = 1, #all, 2 do
    if #all[i] == 5 then listed[#listed + 1] = {all[i], tonumber(all[i + 1])} end
  end
  table.sort(listed, function(a, b) return a[2] > b[2] end)
  local most = tonumber(h[6] or '0')
  for i = MOST / 2, #listed do
    if listed[i][1] ~= own then
      most = math.max(most, listed[i][2])
      call('HDEL', KEYS[1], listed[i][1])
    end
  end
  call('HSET', KEYS[1], 'x', text(most))
end

if told < s then
  call('HSET', KEYS[1], own, text(s))
  if not h[5] then prune() end
end
return {text(e), text(s), text(f), lost and '1' or '0', call('HGETALL', KEYS[2]), call('HMGET', KEYS[3], 'c', 's', 'f')}
