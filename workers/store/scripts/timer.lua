-- Part of every script that moves timers.
--
-- An instant in a record is six bytes: the width of its leaf in the four high bits, then the milliseconds since 1970. A leaf is a hash of
-- members due within its span, each with the last three bytes of its instant; its name is the first bytes of the instant, rounded down to
-- the width, so that the place of an entry follows from the record alone. The index holds each leaf with its earliest instant; it may be
-- too early, or of a leaf that is empty by now (claim puts that right), never too late.
local EXACT = 15 -- code of a leaf for one millisecond: the end of a lease

local arms, disarms, marks = {}, {}, {} -- by leaf: what to add (member, low bytes, ...) and what to remove; what to tell the index

-- the instant at position i of s as one number, width included; 0 for none
local function stamp(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- the milliseconds of the instant at position i of s
local function instant(s, i) return stamp(s, i) % 17592186044416 end

-- the leaf of the instant at position i of s; its width is 2^(10 + code) ms
local ROUND = {[0] = 4, 8, 16, 32, 64, 128, 256, 2, 4, 8, 16, 32, 64, 128, 256}
local function leaf_of(s, i)
  local a, _, _, d, e = byte(s, i, i + 4)
  local code = (a - a % 16) / 16
  if code <= 6 then return sub(s, i, i + 3) .. char(e - e % ROUND[code]) end
  if code < EXACT then return sub(s, i, i + 2) .. char(d - d % ROUND[code]) end
  return sub(s, i, i + 5)
end

-- the first millisecond of a leaf, and whether all of it has passed
local function span(leaf, now)
  local first, code = instant(leaf .. '\0\0', 1), math.floor(byte(leaf, 1) / 16)
  return first, first + (code == EXACT and 1 or 2 ^ (10 + code)) <= now + 1
end

-- arm collects a timer: the instant at position i of s.
local function arm(member, s, i)
  local leaf = leaf_of(s, i)
  local list = arms[leaf]
  if list then
    list[#list + 1] = member
    list[#list + 1] = sub(s, i + 3, i + 5)
    if #leaf == 6 then return end -- one millisecond: the index knows it already
  else
    arms[leaf] = {member, sub(s, i + 3, i + 5)}
  end
  marks[#marks + 1] = instant(s, i)
  marks[#marks + 1] = leaf
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
-- leases are cleared at once, because they are many.
local function settle_timers(idx)
  local head = idx .. ':'
  for leaf, list in pairs(disarms) do
    many(list, 'HDEL', head .. leaf)
    if #leaf == 6 and call('EXISTS', head .. leaf) == 0 then call('ZREM', idx, leaf) end
  end
  for leaf, list in pairs(arms) do many(list, 'HSET', head .. leaf) end
  if #marks > 0 then many(marks, 'ZADD', idx, 'LT') end
  arms, disarms, marks = {}, {}, {}
end
