-- reserve takes what an answer costs out of every budget at once, or changes nothing. A slot that has reserved before gets the new amount in
-- place of the old one.
-- Of each item (items.lua; the shard is always the first one): [1] epoch, [2] seen, [3] dispute, [4] store, [5] slot (9 bytes), [6] token,
-- [7] now in ms, [8] when the dispute was opened in ms (0: unknown), [9] amount, [10] currency, [11] buyer (16 hex digits, or ''), [12] ms for
-- which a buyer's spending counts, [13] most for the case, [14] the buyer, [15] the store, [16] all stores, each '' without a limit, [17]
-- how many answers, '' without a limit, [18] in how many ms
-- Replies with {'', sequence}, or {what refuses, spent so far}: 'case', 'buyer', 'store', 'total', 'storm', and each of them with 'lost ' in
-- front when a loss of memory has made unknown what was spent; {'fenced', '0'}; the integer 0 when memory was lost.
local MOST = 4503599627370496
local CLOCKS = 600000 -- how far the platform's clock, which tells when a dispute was opened, may be ahead of ours
local lost -- when memory was lost, in ms, or -1; read once in a run
local swept = 0 -- up to which instant the run has forgotten answers of the storm

-- over tells whether a limit refuses what is spent and the amount; unknown says that more may have been spent than is remembered.
local function over(q, limit, spent, unknown)
  if limit ~= '' and unknown then return 'lost ' end
  return spent + q.amount > (tonumber(limit) or MOST) and ''
end

-- case_spent is what other slots of the dispute have reserved, and what this one has.
local function case_spent(q)
  local all, sum, was = call('HGETALL', q.head .. 'c:' .. q.dispute), 0, nil
  for i = 1, #all, 2 do
    local r = parse(all[i + 1])
    if all[i] == q.slot then
      was = r
    elseif r.currency == q.currency then
      sum = sum + r.amount
    end
  end
  return sum, was
end

-- buyer_spent is what other slots have reserved for the buyer; what counts no more is to be forgotten.
local function buyer_spent(q)
  local all, sum = call('HGETALL', q.head .. 'b:' .. q.buyer), 0
  for i = 1, #all, 2 do
    local r = parse(all[i + 1])
    if r.at <= q.now - q.span - DAY then -- a day later, because clocks differ
      q.forgotten[#q.forgotten + 1] = all[i]
    elseif r.at > q.now - q.span and all[i] ~= q.name and r.currency == q.currency then
      sum = sum + r.amount
    end
  end
  return sum
end

local function day_spent(q, field)
  local today = day(q.head, q.now)
  local sum = sum_of(today, field .. ' ' .. q.currency)
  if q.was and q.was.currency == q.currency and day(q.head, q.was.at) == today then sum = sum - q.was.amount end
  return sum
end

local function storm(q, most, per)
  local since = q.now - tonumber(per)
  local spent = call('ZCOUNT', q.head .. 's', '(' .. text(since), '+inf')
  if q.was and q.was.at > since then spent = spent - 1 end
  if lost > since then return 'lost storm', spent end
  if spent >= tonumber(most) then return 'storm', spent end
end

-- refusal asks every limit, which stand behind ARGV[a + 12].
local function refusal(q, spent, a)
  local before = lost >= 0 and q.opened <= lost + CLOCKS -- the dispute was open before the loss
  local today = lost >= q.now - q.now % DAY
  local why = over(q, ARGV[a + 13], spent, before)
  if why then return why .. 'case', spent end
  if q.buyer ~= '' then
    spent = buyer_spent(q)
    why = over(q, ARGV[a + 14], spent, lost > q.now - q.span) -- in whichever disputes it was
    if why then return why .. 'buyer', spent end
  end
  spent = day_spent(q, q.store)
  why = over(q, ARGV[a + 15], spent, today)
  if why then return why .. 'store', spent end
  spent = day_spent(q, '')
  why = over(q, ARGV[a + 16], spent, today)
  if why then return why .. 'total', spent end
  if ARGV[a + 17] ~= '' then return storm(q, ARGV[a + 17], ARGV[a + 18]) end
end

-- take writes the reservation down. The sums come first: what fails in between stays spent.
local function take(q, token)
  count(q.head, q.now, q.store, q.currency, q.amount)
  if q.was then forget(q.head, q.dispute, q.store, q.slot, q.was) end
  local of_case, of_buyer = q.head .. 'c:' .. q.dispute, q.head .. 'b:' .. q.buyer
  local reservation = table.concat({text(q.now), text(q.amount), token, q.buyer, q.currency}, ' ')
  call('HSET', of_case, q.slot, reservation)
  call('PEXPIRE', of_case, text(CASE_KEPT))
  if q.buyer ~= '' then
    if #q.forgotten > 0 then call('HDEL', of_buyer, unpack(q.forgotten, 1, math.min(#q.forgotten, 1000))) end
    call('HSET', of_buyer, q.name, reservation)
    call('PEXPIRE', of_buyer, text(q.span + DAY))
  end
end

-- answered counts one more for the storm, and forgets what no storm counts any more.
local function answered(q, per)
  local key, kept = q.head .. 's', math.max(DAY, tonumber(per) or 0)
  call('ZADD', key, text(q.now), q.name)
  if q.now - kept <= swept then return end
  swept = q.now - kept
  call('ZREMRANGEBYSCORE', key, '-inf', text(swept))
  call('PEXPIRE', key, text(kept))
end

local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  if not lost then lost = tonumber(call('HGET', key, 'o') or '-1') end
  local q = {
    head = prefix .. 'm', dispute = ARGV[a + 3], store = ARGV[a + 4], slot = ARGV[a + 5], now = tonumber(ARGV[a + 7]), opened = tonumber(ARGV[a + 8]),
    amount = tonumber(ARGV[a + 9]), currency = ARGV[a + 10], buyer = ARGV[a + 11], span = tonumber(ARGV[a + 12]), forgotten = {},
  }
  q.name = q.dispute .. '/' .. q.slot
  local spent, was = case_spent(q)
  q.was = was
  if was and was.token > tonumber(ARGV[a + 6]) then return {'fenced', '0'} end
  local why, so_far = refusal(q, spent, a)
  if why then return {why, text(so_far)} end
  take(q, ARGV[a + 6])
  answered(q, ARGV[a + 18])
  return {'', text(ahead(key))}
end

local function done() end
