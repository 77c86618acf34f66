package soak

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A daemon is one process, with a door of its own to the platform: so it is known who asked.
type daemon struct {
	number int
	cmd    *exec.Cmd
	door   *door
	server *http.Server // of the door
	log    *os.File
	done   chan struct{} // closed when the process has ended
}

func startDaemon(s *scene, number int) (*daemon, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for daemon %d: %w", number, err)
	}
	d := &daemon{number: number, door: newDoor(s, number), done: make(chan struct{})}
	d.server = &http.Server{Handler: d.door, ReadHeaderTimeout: time.Minute}
	go func() { _ = d.server.Serve(l) }() // ends with kill
	if d.log, err = os.Create(filepath.Join(s.dir, "daemon-"+strconv.Itoa(number)+".log")); err != nil {
		_ = d.server.Close()
		return nil, fmt.Errorf("log of daemon %d: %w", number, err)
	}
	d.cmd = exec.Command(s.o.Binary) //nolint:gosec,noctx // our own program; it lives until it is killed
	d.cmd.Env, d.cmd.Stdout, d.cmd.Stderr = s.environ("http://"+l.Addr().String()), d.log, d.log
	if err := d.cmd.Start(); err != nil {
		_ = d.server.Close()
		return nil, fmt.Errorf("start daemon %d: %w", number, err)
	}
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait() // killed, or told by ended
	}()
	return d, nil
}

// memory is the most that the process has had in memory, in bytes; 0 where the system does not tell (/proc is Linux').
func (d *daemon) memory() int64 {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.cmd.Process.Pid), "status")) // gone: it does not tell
	for line := range strings.Lines(string(text)) {
		if amount, is := strings.CutPrefix(line, "VmHWM:"); is {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(amount), " kB"), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// kill ends the process without a word, as kill -9 does. What it has sent is on its way.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // gone already is as good
	<-d.done
	_ = d.server.Close()
	_ = d.log.Close()
}

// ended is the end of a process that nobody has killed, with the end of its log.
func (d *daemon) ended() error {
	select {
	case <-d.done:
	default:
		return nil
	}
	text, _ := os.ReadFile(d.log.Name()) // without it the error says less
	return fmt.Errorf("daemon %d ended by itself:\n%s", d.number, text[max(0, len(text)-2000):])
}
