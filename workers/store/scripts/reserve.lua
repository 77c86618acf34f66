-- reserve takes what an answer costs out of every budget at once, or changes nothing. A slot that has reserved before gets the new amount in
-- place of the old one.
-- KEYS[1] wk:{00}:epoch
-- ARGV[1] epoch, [2] sequence, [3] "wk:{00}:m", [4] dispute, [5] store, [6] slot (9 bytes), [7] token, [8] now in ms, [9] when the dispute
-- was opened in ms (0: unknown), [10] amount, [11] currency, [12] buyer (16 hex digits, or ''), [13] ms for which a buyer's spending
-- counts, [14] most for the case, [15] the buyer, [16] the store, [17] all stores, each '' without a limit, [18] how many answers, '' without a
-- limit, [19] in how many ms
-- Returns {'', sequence}, or {what refuses, spent so far}: 'case', 'buyer', 'store', 'total', 'storm', and each of them with 'lost ' in
-- front when a loss of memory has made unknown what was spent; {'fenced', '0'}; the integer 0 when memory was lost.
if amnesia(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
local head, dispute, store, slot = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local now, amount, currency, buyer = tonumber(ARGV[8]), tonumber(ARGV[10]), ARGV[11], ARGV[12]
local name, MOST = dispute .. '/' .. slot, 4503599627370496
local lost = tonumber(call('HGET', KEYS[1], 'o') or '-1')
local old = call('HGET', head .. 'c:' .. dispute, slot)
local was = old and parse(old)
if was and was.token > tonumber(ARGV[7]) then return {'fenced', '0'} end

-- over tells whether a limit refuses what is spent and the amount; unknown says that more may have been spent than is remembered.
local function over(limit, spent, unknown)
  if limit ~= '' and unknown then return 'lost ' end
  return spent + amount > (tonumber(limit) or MOST) and ''
end

local function case_spent()
  local all, sum = call('HGETALL', head .. 'c:' .. dispute), 0
  for i = 1, #all, 2 do
    local r = parse(all[i + 1])
    if all[i] ~= slot and r.currency == currency then sum = sum + r.amount end
  end
  return sum
end

local span, forgotten = tonumber(ARGV[13]), {}
local function buyer_spent()
  local all, sum = call('HGETALL', head .. 'b:' .. buyer), 0
  for i = 1, #all, 2 do
    local r = parse(all[i + 1])
    if r.at <= now - span - DAY then -- a day later, because clocks differ
      forgotten[#forgotten + 1] = all[i]
    elseif r.at > now - span and all[i] ~= name and r.currency == currency then
      sum = sum + r.amount
    end
  end
  return sum
end

local function day_spent(field)
  local sum = tonumber(call('HGET', day(head, now), field .. ' ' .. currency) or '0')
  if was and was.currency == currency and day(head, was.at) == day(head, now) then sum = sum - was.amount end
  return sum
end

local before = lost >= 0 and tonumber(ARGV[9]) <= lost -- the dispute was open before the loss
local today = lost >= now - now % DAY
local function refusal()
  local spent = case_spent()
  local why = over(ARGV[14], spent, before)
  if why then return why .. 'case', spent end
  if buyer ~= '' then
    spent = buyer_spent()
    why = over(ARGV[15], spent, before and lost > now - span)
    if why then return why .. 'buyer', spent end
  end
  spent = day_spent(store)
  why = over(ARGV[16], spent, today)
  if why then return why .. 'store', spent end
  spent = day_spent('')
  why = over(ARGV[17], spent, today)
  if why then return why .. 'total', spent end
  if ARGV[18] == '' then return nil end
  local since = now - tonumber(ARGV[19])
  spent = call('ZCOUNT', head .. 's', '(' .. text(since), '+inf')
  if was and was.at > since then spent = spent - 1 end
  if lost > since then return 'lost storm', spent end
  if spent >= tonumber(ARGV[18]) then return 'storm', spent end
end

local why, spent = refusal()
if why then return {why, text(spent)} end
if was then forget(head, dispute, store, slot, was) end
local reservation = table.concat({text(now), text(amount), ARGV[7], buyer, currency}, ' ')
call('HSET', head .. 'c:' .. dispute, slot, reservation)
call('PEXPIRE', head .. 'c:' .. dispute, text(CASE_KEPT))
if buyer ~= '' then
  if #forgotten > 0 then call('HDEL', head .. 'b:' .. buyer, unpack(forgotten, 1, math.min(#forgotten, 1000))) end
  call('HSET', head .. 'b:' .. buyer, name, reservation)
  call('PEXPIRE', head .. 'b:' .. buyer, text(span + DAY))
end
count(head, now, store, currency, amount)
local kept = math.max(DAY, tonumber(ARGV[19]) or 0)
call('ZREMRANGEBYSCORE', head .. 's', '-inf', text(now - kept))
call('ZADD', head .. 's', text(now), name)
call('PEXPIRE', head .. 's', text(kept))
return {'', text(call('HINCRBY', KEYS[1], 's', 1))}
