-- Part of every script that writes: has a shard forgotten something since this process learned its epoch?
local call, byte, sub, char = redis.call, string.byte, string.sub, string.char

local looked -- up to which instant claims have looked into leaves of the present shard (timer.lua)

-- memory is what each shard remembers, read once in a run: epoch, sequence, up to which instant claims have looked, until when money is frozen,
-- and the sequence that this process was told last, or, when that is forgotten (epoch.lua), any of those that are.
local memory = {}

-- amnesia tells whether a shard has forgotten; key is wk:{NN}:epoch; epoch is a string, as this process knows it, and so is seen: the name of this
-- process (4 bytes), then the sequence. The sequence of the shard alone would not do: other processes may have taken it up again since.
local function amnesia(key, epoch, seen)
  local m = memory[key]
  if not m then
    local own = 'p' .. sub(seen, 1, 4)
    local h = call('HMGET', key, 'e', 's', 'l', 'f', own, 'x')
    m = {epoch = h[1], sequence = tonumber(h[2] or '-1'), looked = tonumber(h[3] or '0'), frozen = tonumber(h[4] or '0'), own = own,
      told = tonumber(h[5] or h[6] or '0')}
    memory[key] = m
  end
  looked = m.looked
  return m.epoch ~= epoch or m.told < tonumber(sub(seen, 5))
end

-- told writes down which sequence this process is told.
local function told(key, m, sequence)
  m.told = sequence
  call('HSET', key, m.own, string.format('%.0f', sequence))
end

-- ahead gives a shard's next sequence. Redis is told once for all the items of a run.
local function ahead(key)
  local m = memory[key]
  if not m.last then
    local n = 0
    for k = 1, #KEYS do
      if KEYS[k] == key then n = n + 1 end
    end
    local last = call('HINCRBY', key, 's', n)
    m.last = last - n
    told(key, m, last)
  end
  m.last = m.last + 1
  return m.last
end

-- present is a shard's sequence now. A call that is repeated after a lost reply must learn it too, or its caller would not notice the loss of
-- what the first run wrote.
local function present(key)
  local m = memory[key]
  if m.last then return m.last end
  if m.told < m.sequence then told(key, m, m.sequence) end
  return m.sequence
end
