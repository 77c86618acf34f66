package trace

import (
	"context"

	"go.uber.org/zap"
)

// Probe asks the collector whether it takes an empty batch; without one it asks nobody. It tries once.
func Probe(ctx context.Context, c Config) error {
	if !c.On() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	client := newCollector(Options{Config: c, Log: zap.NewNop()}, nil, nil)
	defer client.http.CloseIdleConnections()
	var empty []byte // a message without members has no bytes
	if c.gzip {
		empty = squeeze(empty)
	}
	_, err := client.post(ctx, empty)
	return err
}
