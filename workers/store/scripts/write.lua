-- Part of the scripts that write records.

-- write stores the record from position i to j of s, behind the version it was read at (four bytes), under head, "wk:{NN}:<class>:", and
-- collects what becomes of its timer. A record is: [1] schema, [2..7] instant, [8..11] version, [12..19] fingerprint, [20..] body.
-- Gives whether it was written and whether it is new. A record that is gone was lost: the write brings it back.
local function write(head, member, s, i, j)
  local key, field = head .. sub(member, 1, 2), sub(member, 3)
  local old = call('HGET', key, field)
  if old then
    local a, b, c, d = byte(old, 8, 11)
    local e, f, g, h = byte(s, i, i + 3)
    if d ~= h or c ~= g or b ~= f or a ~= e then return false, false end
  end
  local leaf, ms, width = place(s, i + 5)
  if late(ms, width) then
    local own = exact(s, i + 5)
    call('HSET', key, field, sub(s, i + 4, i + 4) .. own .. sub(s, i + 11, j))
    if old then disarm(member, old, 2) end
    arm(member, own, 1, own, ms, 1)
    return true, not old
  end
  call('HSET', key, field, sub(s, i + 4, j))
  if not old or sub(old, 2, 7) ~= sub(s, i + 5, i + 10) then
    if old then disarm(member, old, 2) end
    if ms > 0 then arm(member, s, i + 5, leaf, ms, width) end
  end
  return true, not old
end
