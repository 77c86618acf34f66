package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ready is how long a server may take to answer.
const ready = 20 * time.Second

// A server is a redis-server in a process of its own.
type server struct {
	addr  string
	cmd   *exec.Cmd
	life  io.Closer     // the server dies when it is closed, by us or with our process
	ended chan struct{} // closed when it is dead
}

// nurse runs a program in place of itself, and kills it and removes its folder when its own standard input ends.
const nurse = `exec 3<&0
{ read -r _ <&3; kill -9 $$; rm -rf "$0"; } >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`

// startServer starts a server, and waits until it answers.
func startServer(binary string, args []string) (*server, error) {
	// Another process may take the port between our look and the server's start; then the server ends at once.
	var last error
	for range 5 {
		s, err := tryServer(binary, args)
		if err == nil {
			return s, nil
		}
		last = err
	}
	return nil, fmt.Errorf("redis-server does not start: %w", last)
}

func tryServer(binary string, args []string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "storetest-")
	if err != nil {
		return nil, err
	}
	s := &server{addr: fmt.Sprintf("127.0.0.1:%d", port), ended: make(chan struct{})}
	s.cmd = exec.Command("sh", append([]string{"-c", nurse, dir, binary, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", dir, "--daemonize", "no", "--loglevel", "warning"}, args...)...)
	if s.life, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // it is killed, so it never ends well
	}()
	if err := s.answers(); err != nil {
		s.kill()
		return nil, err
	}
	return s, nil
}

// answers waits until the server does, and no other on its port.
func (s *server) answers() error {
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	pid := fmt.Sprintf("process_id:%d\r", s.cmd.Process.Pid)
	return until(s.ended, ready, "an answer of "+s.addr, func(ctx context.Context) bool {
		info, err := rdb.Info(ctx, "server").Result()
		return err == nil && strings.Contains(info, pid) || err != nil && strings.Contains(err.Error(), "NOAUTH")
	})
}

// kill is kill -9, and may be repeated.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // gone already is as good
	<-s.ended
	_ = s.life.Close()
}

// until asks again and again; an error when ended is closed or the time is over.
func until(ended <-chan struct{}, within time.Duration, what string, ask func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ask(ctx) {
		select {
		case <-ended:
			return errors.New("the server has ended")
		case <-ctx.Done():
			return fmt.Errorf("in vain for %s: %s", within, what)
		case <-tick.C:
		}
	}
	return nil
}

// freePort finds a port whose cluster bus port (ten thousand higher) exists too.
func freePort() (int, error) {
	for range 1000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		addr, ok := l.Addr().(*net.TCPAddr)
		_ = l.Close()
		if ok && addr.Port <= 55535 {
			return addr.Port, nil
		}
	}
	return 0, errors.New("no free port below 55536")
}
