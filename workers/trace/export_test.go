package trace

// Limits are what bounds the memory and the time that a collector may cost.
func Limits(c Config) []any { return []any{c.queue, c.batch, c.timeout, c.delay} }
