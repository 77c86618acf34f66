package job_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/job"
)

// A node is a server of a cluster as far as a client of Redis must know one: it reads commands, and says what its answers say. An empty answer closes
// the connection.
type node struct {
	addr   string
	answer func(command string) string

	mu   sync.Mutex
	seen map[string]int
}

func startNode(t *testing.T, answer func(command string) string) *node {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{addr: l.Addr().String(), answer: answer, seen: map[string]int{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { n.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return n
}

func (n *node) serve(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		command, err := readCommand(r)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.seen[command]++
		n.mu.Unlock()
		answer := "+OK"
		switch command {
		case "hello":
			answer = "-ERR unknown command" // an old server: the client goes on without
		case "incr":
			if answer = n.answer(command); answer == "" {
				return
			}
		}
		if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
			return
		}
	}
}

func (n *node) count(command string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen[command]
}

// readCommand gives the first word of the next command.
func readCommand(r *bufio.Reader) (word string, err error) {
	number := func() (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(line)[1:])
	}
	words, err := number()
	for i := 0; i < words && err == nil; i++ {
		var size int
		if size, err = number(); err != nil {
			break
		}
		text := make([]byte, size+2)
		if _, err = io.ReadFull(r, text); i == 0 {
			word = strings.ToLower(string(text[:size]))
		}
	}
	return word, err
}

// clusterOf is the client of a cluster all of whose slots are on one node.
func clusterOf(t *testing.T, n *node, o redis.ClusterOptions) *redis.ClusterClient {
	t.Helper()
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff, o.DisableIdentity = -1, time.Millisecond, time.Millisecond, true
	o.ClusterSlots = func(context.Context) ([]redis.ClusterSlot, error) {
		return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: n.addr}}}}, nil
	}
	rdb := redis.NewClusterClient(&o)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// A slot moves from one server to another, and the other takes the command and its connection breaks.
func TestACommandThatWasSentOnWhileItsSlotMovesIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		once  bool
		least int
		most  int
	}{"as it comes": {false, 2, 20}, "once": {true, 1, 1}} {
		to := startNode(t, func(string) string { return "" })
		from := startNode(t, func(string) string { return fmt.Sprint("-ASK 1 ", to.addr) })
		rdb := clusterOf(t, from, redis.ClusterOptions{})
		if c.once {
			job.Once(rdb)
		}
		err := rdb.Incr(t.Context(), "x").Err()
		if n := to.count("incr"); err == nil || errors.Is(err, io.EOF) == c.once || n < c.least || n > c.most || to.count("asking") != n {
			t.Errorf("%s: want an error, and the command sent %d to %d times, got %d and %v", name, c.least, c.most, n, err)
		}
	}
}

// What could not be sent, as all connections were taken, is sent when one is free.
func TestACommandThatFoundNoConnectionIsSentLater(t *testing.T) {
	t.Parallel()
	first, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	n := startNode(t, func(string) string {
		once.Do(func() {
			close(first)
			<-free
		})
		return ":1"
	})
	rdb := clusterOf(t, n, redis.ClusterOptions{PoolSize: 1, PoolTimeout: 20 * time.Millisecond, MaxRedirects: 1000})
	job.Once(rdb)
	errs := make(chan error, 2)
	go func() { errs <- rdb.Incr(t.Context(), "x").Err() }()
	<-first
	time.AfterFunc(100*time.Millisecond, func() { close(free) })
	errs <- rdb.Incr(t.Context(), "x").Err()
	if err := errors.Join(<-errs, <-errs); err != nil || n.count("incr") != 2 {
		t.Errorf("want both commands sent, got %d and %v", n.count("incr"), err)
	}
}
