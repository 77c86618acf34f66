-- due counts what is due in one class of one shard.
-- KEYS[1] wk:{NN}:epoch (only to find the server)
-- ARGV[1] "wk:{NN}:<class>d", [2] now in ms
-- Returns {entries due, instant of the oldest timer in ms or 0} as strings.
local idx, now = ARGV[1], tonumber(ARGV[2])
local due, oldest = 0, 0
for _, leaf in ipairs(call('ZRANGEBYSCORE', idx, '-inf', now)) do
  local key, first, width = idx .. ':' .. leaf, span(leaf)
  if first + width <= now + 1 then
    due = due + call('HLEN', key)
  else
    for _, low in ipairs(call('HVALS', key)) do
      if instant(sub(leaf, 1, 3) .. low, 1) <= now then due = due + 1 end
    end
  end
end
local first = call('ZRANGE', idx, 0, 0, 'WITHSCORES')
if first[2] then oldest = tonumber(first[2]) end
return {string.format('%.0f', due), string.format('%.0f', oldest)}
