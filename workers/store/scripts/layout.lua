-- layout fixes the layout at the first start and gives the one that holds.
-- KEYS[1] wk:meta
-- ARGV[1] layout version, [2] shards, [3] buckets of a shard
-- Returns {layout, shards, buckets} as they are stored.
redis.call('HSETNX', KEYS[1], 'layout', ARGV[1])
redis.call('HSETNX', KEYS[1], 'shards', ARGV[2])
redis.call('HSETNX', KEYS[1], 'buckets', ARGV[3])
return redis.call('HMGET', KEYS[1], 'layout', 'shards', 'buckets')
