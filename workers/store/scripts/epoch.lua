-- epoch compares what a shard remembers with what this process remembers of it, opens a new epoch when memory was lost, and gives the
-- numbers of the stores, making those that are missing. Every replica that runs it comes to the same result.
-- KEYS[1] wk:{NN}:epoch, KEYS[2] wk:{NN}:stores, KEYS[3] wk:{NN}:n
-- ARGV[1] epoch and [2] sequence as this process remembers them (0 and 0 when it knows nothing), [3] in ms, until when money is frozen
-- after a loss, [4] now in ms; then pairs of store and platform
-- Returns {epoch, sequence, frozen until, 1 when memory was lost, {store, "number platform", ...},
-- {cases, shipments, feeds}}, the numbers as strings.
local call = redis.call
local known, seen = tonumber(ARGV[1]), tonumber(ARGV[2])
local h = call('HMGET', KEYS[1], 'e', 's', 'f', 'o')
local e, s, f = tonumber(h[1] or '0'), tonumber(h[2] or '0'), tonumber(h[3] or '0')
local lost = e == 0 or e < known or (e == known and s < seen)
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
for i = 5, #ARGV, 2 do
  if not call('HGET', KEYS[2], ARGV[i]) then
    call('HSET', KEYS[2], ARGV[i], call('HLEN', KEYS[2]) .. ' ' .. ARGV[i + 1])
    s = call('HINCRBY', KEYS[1], 's', 1)
  end
end
local function text(n) return string.format('%.0f', n) end
return {text(e), text(s), text(f), lost and '1' or '0', call('HGETALL', KEYS[2]), call('HMGET', KEYS[3], 'c', 's', 'f')}
