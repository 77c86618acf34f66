package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNoRedis means that no redis-server is on the PATH.
var ErrNoRedis = errors.New("redis-server is not installed: apt-get install redis-server, or see redis.io")

// StartRedis starts a real redis-server on a free loopback port, with nothing kept on disk unless the arguments say so, and waits until
// it answers. stop ends it and removes its folder.
func StartRedis(ctx context.Context, args ...string) (addr string, stop func(), err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, ErrNoRedis
	}
	port, err := freePort(ctx)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "watchkeeper-redis-")
	if err != nil {
		return "", nil, fmt.Errorf("redis folder: %w", err)
	}
	all := append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"}, args...)
	// A program found on the PATH, with our own arguments. It lives until stop, and not only as long as ctx.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, all...) //nolint:gosec // see above
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start redis-server: %w", err), os.RemoveAll(dir))
	}
	stop = func() {
		_ = cmd.Process.Kill() // gone already is as good
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := answers(ctx, addr); err != nil {
		stop()
		return "", nil, err
	}
	return addr, stop, nil
}

// ErrNotEmpty means that a Redis holds data: a demonstration would take it for its own.
var ErrNotEmpty = errors.New("this redis is not empty")

func empty(ctx context.Context, addrs string) error {
	rdb := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: strings.Split(addrs, ",")})
	defer func() { _ = rdb.Close() }()
	n, err := rdb.DBSize(ctx).Result()
	if err != nil {
		return fmt.Errorf("redis at %s: %w", addrs, err)
	}
	if n > 0 {
		return fmt.Errorf("redis at %s: %w", addrs, ErrNotEmpty)
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a port: %v is no TCP address", l.Addr())
	}
	return addr.Port, nil
}

// answers waits until a Redis answers.
func answers(ctx context.Context, addr string) error {
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := rdb.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("redis at %s does not answer: %w", addr, err)
		}
	}
}
