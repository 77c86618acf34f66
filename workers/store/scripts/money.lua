-- Part of the scripts over what was spent. All of it is in one shard. head is "wk:{00}:m"; behind it are
--   c:<dispute>   hash: slot → reservation: instant in ms, amount, token, buyer and currency, with blanks between them
--   b:<buyer>     hash: dispute/slot → the same
--   d:<day>       hash: "<store> <currency>" and " <currency>" → amount
--   s             sorted set: dispute/slot → instant
-- Amounts are whole numbers of minor units, and neither one nor a sum is above 2^52, so that doubles hold them exactly.
local call = redis.call
local DAY = 86400000
local DAY_KEPT, CASE_KEPT = 3 * DAY, 90 * DAY -- days end by the callers' clocks; a dispute may be silent for long

local function text(n) return string.format('%.0f', n) end

local function day(head, ms) return head .. 'd:' .. text(math.floor(ms / DAY)) end

local function parse(reservation)
  local at, amount, token, buyer, currency = string.match(reservation, '^(%d+) (%d+) (%d+) (%x*) (.*)$')
  return {at = tonumber(at), amount = tonumber(amount), token = tonumber(token), buyer = buyer, currency = currency}
end

-- count adds to the sums of a day; a day that has expired is not begun again to take something away.
local function count(head, ms, store, currency, amount)
  local key = day(head, ms)
  if amount < 0 and call('EXISTS', key) == 0 then return end
  call('HINCRBY', key, store .. ' ' .. currency, text(amount))
  call('HINCRBY', key, ' ' .. currency, text(amount))
  call('PEXPIRE', key, text(DAY_KEPT))
end

-- forget takes a reservation out of every sum.
local function forget(head, dispute, store, slot, was)
  local name = dispute .. '/' .. slot
  call('HDEL', head .. 'c:' .. dispute, slot)
  if was.buyer ~= '' then call('HDEL', head .. 'b:' .. was.buyer, name) end
  call('ZREM', head .. 's', name)
  count(head, was.at, store, was.currency, 0 - was.amount)
end
