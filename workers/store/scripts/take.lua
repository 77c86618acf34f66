-- take asks for one call of a shared allowance (GCRA: a schedule of calls spaced evenly, which may run ahead by one period). The first who is
-- refused is told to come when a call is free, and each one after him some calls later: if all came together, most would be refused
-- again, and the others would find no second call for what they began.
-- Who makes many calls takes at most half of what the schedule may run ahead, so that others find a call; he is told to come when all of that
-- is free again, and takes no turn. Where others take all there is, he gets nothing, unless a share is his: then every so many calls one is, and
-- as long as he waits for them the others, too, take half at most.
-- KEYS[1] wk:{NN}:g:<key>: up to when the schedule is taken, and when the next who is refused is told to come; [2] wk:{NN}:h:<key>: up to when the
-- schedule of a share is taken, and until when somebody waits for it. It is apart, because earlier versions read the first one, too.
-- ARGV[1] now in µs, [2] µs between two calls, [3] µs of a period, [4] ms after which the key may go, [5] '0' for a call in line, '1' for one of
-- many calls, '2' for one of many that have a share
-- Returns how many µs to wait as a string; "0" when the call was granted.
local APART = 4 -- calls that an answer takes: two readings, the answer, and what goes beside it
local SHARE = 3 -- of so many calls one is for who has a share
local LONGEST = 600000000 -- µs; nobody is sent away for longer
local CLOCKS = 60000000 -- µs by which the clocks of two processes that work may differ; what lies further ahead was written by a wrong one
local SOON = 2000000 -- µs; who waits for a share comes again so soon after he was told to
local now, gap, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bulk, shares = ARGV[5] ~= '0', ARGV[5] == '2'
local ahead = math.max(period, SHARE * gap) -- by how much the schedule of a share may run ahead

-- read gives the two numbers of a key; what cannot have been written by a clock of now counts for nothing.
local function read(key, most)
  local first, second = string.match(redis.call('GET', key) or '0', '^(%S+) ?(%S*)')
  first, second = math.max(tonumber(first), now), tonumber(second) or 0
  if first > now + most + CLOCKS then return now, 0 end
  return first, second
end

local at, turn = read(KEYS[1], period)
local own, wanted = read(KEYS[2], ahead)
if wanted > now + ahead + SOON + CLOCKS then wanted = 0 end
local half = math.max(period / 2, gap)
local wait = at + gap - now - ((bulk or wanted > now) and half or period)
local mine = shares and math.max(own + SHARE * gap - now - ahead, at + gap - now - period) or math.huge
if math.min(wait, mine) <= 0.5 then
  at, wait = at + gap, 0
  own = math.min(own + SHARE * gap, now + ahead)
elseif bulk then
  wait = math.min(math.max(wait, at - now), mine)
  wanted = now + wait + SOON
else
  local come = math.max(now + wait, math.min(turn, now + LONGEST))
  turn, wait = come + APART * gap, come - now
end
redis.call('SET', KEYS[1], string.format('%.3f %.3f', at, turn), 'PX', string.format('%.0f', tonumber(ARGV[4]) + math.max(turn - now, 0) / 1000))
if shares then redis.call('SET', KEYS[2], string.format('%.3f %.3f', own, wanted), 'PX', ARGV[4]) end
return string.format('%.0f', math.ceil(wait))
