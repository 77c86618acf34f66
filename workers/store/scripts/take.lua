-- take asks for one call of a shared allowance (GCRA: a schedule of calls spaced evenly, which may run ahead by one period). The first who is
-- refused is told to come when a call is free, and each one after him some calls later: if all came together, most would be refused
-- again, and the others would find no second call for what they began.
-- Who makes many calls takes at most half of what the schedule may run ahead, so that others find a call; he is told to come when all of that
-- is free again, and takes no turn.
-- KEYS[1] wk:{NN}:g:<key>
-- ARGV[1] now in µs, [2] µs between two calls, [3] µs of a period, [4] ms after which the key may go, [5] '1' for one of many calls
-- Returns how many µs to wait as a string; "0" when the call was granted.
local APART = 4 -- calls that an answer takes: two readings, the answer, and what goes beside it
local LONGEST = 600000000 -- µs; nobody is sent away for longer
local now, gap, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at, turn = string.match(redis.call('GET', KEYS[1]) or '0 0', '^(%S+) ?(%S*)$')
at, turn = math.max(tonumber(at), now), tonumber(turn) or 0
local bulk = ARGV[5] == '1'
local wait = at + gap - now - (bulk and math.max(period / 2, gap) or period)
if wait <= 0.5 then
  at, wait = at + gap, 0
elseif bulk then
  wait = math.max(wait, at - now)
else
  local mine = math.max(now + wait, math.min(turn, now + LONGEST))
  turn, wait = mine + APART * gap, mine - now
end
redis.call('SET', KEYS[1], string.format('%.3f %.3f', at, turn), 'PX', string.format('%.0f', tonumber(ARGV[4]) + math.max(turn - now, 0) / 1000))
return string.format('%.0f', math.ceil(wait))
