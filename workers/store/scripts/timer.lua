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
local unseen, earliest = {}, {} -- by leaf: the first millisecond of one no claim has seen, the earliest instant added to another

-- the instant at position i of s as one number, width included; 0 for none
local function stamp(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- the milliseconds of the instant at position i of s
local function instant(s, i) return stamp(s, i) % 17592186044416 end

-- the leaf of the instant at position i of s
local ROUND = {[0] = 128, 1, 2, 4, 8, 16, 32, 64, 128, 256, 2, 4, 8, 16, 32}
local function leaf_of(s, i)
  local a, _, _, d, e, f = byte(s, i, i + 5)
  local code = (a - a % 16) / 16
  if code == EXACT then return sub(s, i, i + 5) end
  if code == 0 then return sub(s, i, i + 4) .. char(f - f % ROUND[code]) end
  if code <= 9 then return sub(s, i, i + 3) .. char(e - e % ROUND[code]) end
  return sub(s, i, i + 2) .. char(d - d % ROUND[code])
end

-- the first millisecond of a leaf, and its width in milliseconds: 2^(7 + code)
local function span(leaf)
  local code = math.floor(byte(leaf, 1) / 16)
  return instant(leaf .. '\0\0', 1), code == EXACT and 1 or 2 ^ (7 + code)
end

-- over tells whether claims have looked to the end of a leaf, which may be leased as a whole then.
local function over(leaf)
  local first, width = span(leaf)
  return first + width <= looked + 1
end

-- late tells whether the instant at position i of s, with that stamp, falls into such a leaf.
local function late(s, i, due)
  return due > 0 and due % 17592186044416 <= looked and byte(s, i) < EXACT * 16 and over(leaf_of(s, i))
end

-- exact is the instant at position i of s (6 bytes), to be kept in a leaf of its own millisecond.
local function exact(s, i) return char(byte(s, i) % 16 + EXACT * 16) .. sub(s, i + 1, i + 5) end

-- arm collects a timer: the instant at position i of s.
local function arm(member, s, i)
  local leaf = leaf_of(s, i)
  local list = arms[leaf]
  if list then
    list[#list + 1] = member
    list[#list + 1] = sub(s, i + 3, i + 5)
  else
    arms[leaf] = {member, sub(s, i + 3, i + 5)}
    local first = span(leaf)
    if first > looked then unseen[leaf] = first end
  end
  if not unseen[leaf] then
    local due = instant(s, i)
    if not earliest[leaf] or due < earliest[leaf] then earliest[leaf] = due end
  end
end

local function disarm(member, s, i)
  local leaf = leaf_of(s, i)
  local list = disarms[leaf]
  if list then list[#list + 1] = member else disarms[leaf] = {member} end
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
  local head, marks = idx .. ':', {}
  for leaf, list in pairs(disarms) do
    many(list, 'HDEL', head .. leaf)
    if (byte(leaf, 1) >= EXACT * 16 or over(leaf)) and call('EXISTS', head .. leaf) == 0 then call('ZREM', idx, leaf) end
  end
  for leaf, list in pairs(arms) do
    many(list, 'HSET', head .. leaf)
    local mark = unseen[leaf]
    if not mark then
      mark = earliest[leaf]
    elseif call('HLEN', head .. leaf) > #list / 2 then
      mark = nil -- it was there, so the index knows it
    end
    if mark then
      marks[#marks + 1] = mark
      marks[#marks + 1] = leaf
    end
  end
  many(marks, 'ZADD', idx, 'LT')
  arms, disarms, unseen, earliest = {}, {}, {}, {}
end
