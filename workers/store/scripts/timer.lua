-- Part of every script that moves timers.
--
-- An instant in a record is six bytes: the width of its leaf in the four high bits, then the milliseconds since 1970. A leaf is a hash of
-- members due within its span, each with the last three bytes of its instant; its name is the first bytes of the instant, rounded down to
-- the width, so that the place of an entry follows from the record alone. The index holds each leaf with its first millisecond; a claim
-- that looks into a leaf puts its earliest entry there instead. So the index may be too early, or hold a leaf that is empty by now (the
-- next claim puts that right), but it is never too late: what is added to a leaf that a claim may have seen is told to the index.
--
-- A claim leases a leaf whose span is over as a whole: the index holds it at the end of the lease, and its entries and records stay as they
-- are. Nothing is added to such a leaf, because it would share the lease: a timer for a span that is over gets a leaf of its own
-- millisecond, and those are leased entry by entry.
local EXACT = 15 -- code of a leaf for one millisecond: the end of a lease, and what came too late for its leaf

local arms, disarms = {}, {} -- by leaf: what to add (member, low bytes, ...) and what to remove
local marks = {} -- by leaf: at which millisecond the index must have it, or earlier
local ends = {} -- by leaf: the first millisecond behind it

-- what the last byte of a leaf's name is rounded down to, and its width in milliseconds, by its code
local ROUND = {[0] = 128, 1, 2, 4, 8, 16, 32, 64, 128, 256, 2, 4, 8, 16, 32}
local WIDTH = {[0] = 2 ^ 7, 2 ^ 8, 2 ^ 9, 2 ^ 10, 2 ^ 11, 2 ^ 12, 2 ^ 13, 2 ^ 14, 2 ^ 15, 2 ^ 16, 2 ^ 17, 2 ^ 18, 2 ^ 19, 2 ^ 20, 2 ^ 21, 1}

-- place gives the leaf of the instant at position i of s, its milliseconds, 0 for no instant, and the leaf's width.
local function place(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  local top = a % 16
  local code = (a - top) / 16
  local ms = ((((top * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
  if code == EXACT then return sub(s, i, i + 5), ms, 1 end
  if code == 0 then return sub(s, i, i + 4) .. char(f - f % 128), ms, 128 end
  if code <= 9 then return sub(s, i, i + 3) .. char(e - e % ROUND[code]), ms, WIDTH[code] end
  return sub(s, i, i + 2) .. char(d - d % ROUND[code]), ms, WIDTH[code]
end

-- the milliseconds of the instant at position i of s
local function instant(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  return ((((a % 16 * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- the first millisecond of a leaf, and its width
local function span(leaf)
  local a = byte(leaf, 1)
  return instant(leaf .. '\0\0', 1), WIDTH[(a - a % 16) / 16]
end

-- late tells whether an instant falls into a leaf that claims have looked to the end of, which may be leased as a whole then.
local function late(ms, width)
  return ms > 0 and ms <= looked and width > 1 and ms - ms % width + width <= looked + 1
end

-- exact is the instant at position i of s (6 bytes), to be kept in a leaf of its own millisecond.
local function exact(s, i) return char(byte(s, i) % 16 + EXACT * 16) .. sub(s, i + 1, i + 5) end

-- arm collects a timer: the instant at position i of s, in the place that place gave. A leaf that no claim has seen is told to the index by its
-- first millisecond, another by the earliest instant added to it.
local function arm(member, s, i, leaf, ms, width)
  local list = arms[leaf]
  if list then
    list[#list + 1] = member
    list[#list + 1] = sub(s, i + 3, i + 5)
  else
    arms[leaf] = {member, sub(s, i + 3, i + 5)}
  end
  local first = ms - ms % width
  local mark = first > looked and first or ms
  if not marks[leaf] or mark < marks[leaf] then marks[leaf] = mark end
end

local function disarm(member, s, i)
  local leaf, ms, width = place(s, i)
  if ms == 0 then return end
  local list = disarms[leaf]
  if list then
    list[#list + 1] = member
  else
    disarms[leaf] = {member}
    ends[leaf] = ms - ms % width + width
  end
end

-- many runs a command with a list of any length, option being an argument before it or nil.
local function many(list, command, key, option)
  local n = #list
  for i = 1, n, 500 do
    local last = n < i + 499 and n or i + 499
    if option then call(command, key, option, unpack(list, i, last)) else call(command, key, unpack(list, i, last)) end
  end
end

-- settle_timers carries out what was collected, and forgets it. A leaf that is empty now leaves the index when a claim meets it; only
-- leased ones are cleared at once, because they are many.
local function settle_timers(idx)
  local head, told, failed = idx .. ':', {}, nil
  -- try goes on after an error: a damaged leaf must not cost the timers of other records, which are written already.
  local function try(work, ...)
    local ok, err = pcall(work, ...)
    if not ok then failed = failed or err end
  end
  for leaf, list in pairs(disarms) do
    try(many, list, 'HDEL', head .. leaf)
    if (ends[leaf] <= looked + 1 or byte(leaf, 1) >= EXACT * 16) and call('EXISTS', head .. leaf) == 0 then call('ZREM', idx, leaf) end
  end
  for leaf, list in pairs(arms) do
    try(many, list, 'HSET', head .. leaf)
    told[#told + 1] = marks[leaf]
    told[#told + 1] = leaf
  end
  try(many, told, 'ZADD', idx, 'LT') -- what the index knows already stays
  arms, disarms, marks, ends = {}, {}, {}, {}
  if failed then error(failed, 0) end
end
