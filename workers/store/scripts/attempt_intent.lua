-- attempt_intent makes coming sends durable, each if the claim still holds, no kill switch covers it, no money is frozen and the server is known.
-- Of each item (items.lua): [1] epoch, [2] seen, [3] member, [4] slot, [5] now in ms, [6] now (6 bytes), [7] writer (8 bytes), [8] token
-- (8 bytes), [9] what is sent, [10] back to when everything must be remembered, in ms, [11] the scopes of the kill switches that cover it,
-- a line each
-- A scope of a newer version that this one cannot read (READS) stops all that it may mean: every reason of its platform and store, or, when
-- it has another form, everything.
-- Replies with the slot and the sequence (8 bytes); the integers 0 when memory was lost, 2 frozen, 3 fenced, 4 not claimed, 6 a switch is on,
-- 7 the server was started anew, or took over, a moment ago.
local switches = {} -- by shard: the scopes that are on, or false

local function killed(prefix, scopes)
  if switches[prefix] == nil then
    local all, on = call('HGETALL', prefix .. 'kill'), false
    for i = 1, #all, 2 do
      if byte(all[i + 1], 1) == ON then
        on = on or {}
        local owner, reason = string.match(all[i], '^([^/]*/[^/]*/)([^/]*)$')
        if READS[reason or 0] then
          on[all[i]] = true
        else
          on[owner or '//'] = true
        end
      end
    end
    switches[prefix] = on
  end
  local on = switches[prefix]
  if not on then return false end
  for scope in string.gmatch(scopes, '[^\n]+') do
    if on[scope] then return true end
  end
  return false
end

local function one(key, prefix, a)
  if amnesia(key, ARGV[a + 1], ARGV[a + 2]) then return 0 end
  local ledger, name = prefix .. 'l:' .. ARGV[a + 3], ARGV[a + 4]
  local now, old = tonumber(ARGV[a + 5]), call('HGET', ledger, name)
  if not old or sub(old, 7, 14) ~= ARGV[a + 8] then return FENCED end
  if byte(old, 2) == SENT and sub(old, 27, 34) == ARGV[a + 7] then return old .. eight(present(key)) end
  if byte(old, 2) ~= CLAIMED then return ILLEGAL end
  if u48(old, 15) <= now then return FENCED end
  if killed(prefix, ARGV[a + 11]) then return KILLED end
  if memory[key].frozen > tonumber(ARGV[a + 10]) then return FROZEN end
  if memory[key].strange == nil then memory[key].strange = strange(key) end
  if memory[key].strange then return TAKEN_OVER end
  local new = slot(SENT, u32(old, 3) + 1, ARGV[a + 8], sub(old, 15, 20), ARGV[a + 6], ARGV[a + 7], ARGV[a + 9])
  call('HSET', ledger, name, new)
  return new .. eight(ahead(key))
end
