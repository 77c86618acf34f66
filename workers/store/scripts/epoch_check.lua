-- Part of every script that writes: has a shard forgotten something since this process learned its epoch?
local call, byte, sub, char = redis.call, string.byte, string.sub, string.char

local looked -- up to which instant claims have looked into leaves of the present shard (timer.lua)

-- memory is what each shard remembers, read once in a run: epoch, sequence, up to which instant claims have looked, until when money is frozen.
local memory = {}

-- amnesia tells whether a shard has forgotten; key is wk:{NN}:epoch; epoch and sequence are strings, as this process knows them.
local function amnesia(key, epoch, sequence)
  local m = memory[key]
  if not m then
    local h = call('HMGET', key, 'e', 's', 'l', 'f')
    m = {epoch = h[1], sequence = tonumber(h[2] or '-1'), looked = tonumber(h[3] or '0'), frozen = tonumber(h[4] or '0')}
    memory[key] = m
  end
  looked = m.looked
  return m.epoch ~= epoch or m.sequence < tonumber(sequence)
end

-- ahead gives a shard's next sequence. Redis is told once for all the items of a run.
local function ahead(key)
  local m = memory[key]
  if not m.last then
    local n = 0
    for k = 1, #KEYS do
      if KEYS[k] == key then n = n + 1 end
    end
    m.last = call('HINCRBY', key, 's', n) - n
  end
  m.last = m.last + 1
  return m.last
end

-- present is a shard's sequence now. A call that is repeated after a lost reply must learn it too, or its caller would not notice the loss of
-- what the first run wrote.
local function present(key) return memory[key].last or memory[key].sequence end
