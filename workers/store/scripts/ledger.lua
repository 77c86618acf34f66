-- Part of the scripts of the ledger. A slot is: [1] schema, [2] state, [3..6] times sent, [7..14] token, [15..20] lease in ms,
-- [21..26] sent at in ms, [27..34] who wrote it last: the process (4 bytes) and its call (so that one repeated by the client library is recognised), [35..] what is sent.
-- A token is the epoch times 2^32 plus the sequence: it grows with each claim and never falls, whatever is lost.
local CLAIMED, SENT, SETTLED, REFUSED, UNKNOWN = 1, 2, 3, 4, 5
local HELD, FROZEN, FENCED, ILLEGAL, UNRESOLVED, KILLED, TAKEN_OVER = 1, 2, 3, 4, 5, 6, 7
local ON = 49 -- first byte of a kill switch that is on: '1'
local ANSWER = 0 -- last byte of the name of a slot whose attempt ends its turn; other slots are of what goes beside an answer
local TWO32 = 4294967296

-- the numbers of four and of six bytes at position i of s
local function u32(s, i)
  local a, b, c, d = byte(s, i, i + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function u48(s, i)
  local a, b, c, d, e, f = byte(s, i, i + 5)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- four are the bytes of a number below 2^32.
local function four(n)
  local d = n % 256
  n = (n - d) / 256
  local c = n % 256
  n = (n - c) / 256
  local b = n % 256
  return char((n - b) / 256, b, c, d)
end

-- eight are the bytes of a sequence, behind a slot in a reply.
local function eight(n)
  local low = n % TWO32
  return four((n - low) / TWO32) .. four(low)
end

local function done() end -- unless a script has something left to do for a shard

-- slot builds a slot; token, lease and sent are bytes already.
local function slot(state, n, token, lease, sent, writer, body)
  return char(1, state) .. four(n) .. token .. lease .. sent .. writer .. body
end
