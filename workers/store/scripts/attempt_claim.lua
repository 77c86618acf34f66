-- attempt_claim takes the right to answer (or to learn what became of an answer) in slots of the ledger.
-- Of each item (items.lua): [1] epoch, [2] seen, [3] member, [4] slot, [5] now in ms, [6] end of the lease (6 bytes), [7] writer (8 bytes),
-- [8] processes that are gone, 4 bytes each: their leases are over
-- Replies with the slot and the sequence (8 bytes); the integers 0 when memory was lost, 1 when another holds it, 5 when the slot is an
-- answer's and the answer of another turn may still be out.

-- deserted tells whether the process that wrote a slot last is one of those that are gone.
local function deserted(slot, gone)
  local who = sub(slot, 27, 30)
  for i = 1, #gone, 4 do
    if sub(gone, i, i + 3) == who then return true end
  end
  return false
end

local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local ledger, name = prefix .. 'l:' .. ARGV[a + 3], ARGV[a + 4]
  local all, old, out = call('HGETALL', ledger), nil, false
  for i = 1, #all, 2 do
    if all[i] == name then
      old = all[i + 1]
    elseif byte(all[i], 9) == ANSWER then
      local was = byte(all[i + 1], 2)
      out = out or was == SENT or was == UNKNOWN
    end
  end
  local state = old and byte(old, 2) or 0
  if state == SETTLED then return old .. eight(present(key)) end
  local early = old and u48(old, 15) > tonumber(ARGV[a + 5])
  if early and not deserted(old, ARGV[a + 8]) then
    if sub(old, 27, 34) == ARGV[a + 7] then return old .. eight(present(key)) end
    return HELD
  end
  local became = (state == SENT or state == UNKNOWN) and UNKNOWN or CLAIMED
  if became == CLAIMED and byte(name, 9) == ANSWER and out then return UNRESOLVED end
  local s = ahead(key)
  local low = s % TWO32
  local token = four(tonumber(ARGV[a + 1]) + (s - low) / TWO32) .. four(low)
  local n, sent, body = 0, '\0\0\0\0\0\0', ''
  if old then n, sent, body = u32(old, 3), sub(old, 21, 26), sub(old, 35) end
  -- Who is taken for gone may only be slow, and send until its lease is over: absence counts from there.
  if early and state == SENT then sent = sub(old, 15, 20) end
  local new = slot(became, n, token, ARGV[a + 6], sent, ARGV[a + 7], body)
  call('HSET', ledger, name, new)
  return new .. eight(s)
end
