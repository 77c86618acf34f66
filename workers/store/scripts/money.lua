-- Part of the scripts over what was spent. All of it is in one shard. head is "wk:{00}:m"; behind it are
--   c:<dispute>   hash: slot → reservation: instant in ms, amount, token, buyer and currency, with blanks between them
--   b:<buyer>     hash: dispute/slot → the same
--   d:<day>       hash: "<store> <currency>" and " <currency>" → amount
--   s             sorted set: dispute/slot → instant
-- Amounts are whole numbers of minor units, and neither one nor a sum is above 2^52, so that doubles hold them exactly.
local DAY = 86400000
local DAY_KEPT, CASE_KEPT = 3 * DAY, 90 * DAY -- days end by the callers' clocks; a dispute may be silent for long

local function text(n) return string.format('%.0f', n) end

local function day(head, ms) return head .. 'd:' .. text(math.floor(ms / DAY)) end

local function parse(reservation)
  local at, amount, token, buyer, currency = string.match(reservation, '^(%d+) (%d+) (%d+) (%x*) (.*)$')
  return {at = tonumber(at), amount = tonumber(amount), token = tonumber(token), buyer = buyer, currency = currency}
end

-- sums are those of days that this run knows already, by key and field: several items of a run mostly ask for the same.
local sums = {}

local function sum_of(key, field)
  local name = key .. field
  if not sums[name] then sums[name] = tonumber(call('HGET', key, field) or '0') end
  return sums[name]
end

-- count adds to the sums of a day; a day that has expired is not begun again to take something away.
local function count(head, ms, store, currency, amount)
  local key = day(head, ms)
  if amount < 0 and call('EXISTS', key) == 0 then return end
  for _, field in ipairs({store .. ' ' .. currency, ' ' .. currency}) do
    local sum = tonumber(call('HINCRBY', key, field, text(amount)))
    sums[key .. field] = sum
    if sum == amount then call('PEXPIRE', key, text(DAY_KEPT)) end
  end
end

-- forget takes a reservation out of every sum.
local function forget(head, dispute, store, slot, was)
  local name = dispute .. '/' .. slot
  call('HDEL', head .. 'c:' .. dispute, slot)
  if was.buyer ~= '' then call('HDEL', head .. 'b:' .. was.buyer, name) end
  call('ZREM', head .. 's', name)
  count(head, was.at, store, was.currency, 0 - was.amount)
end
