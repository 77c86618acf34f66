// Package image_test holds the container image to what the manifests and deploy/README.md expect of it: what is in it, as whom it runs,
// and that it stops in time when thousands of answers are due. "make image-check" builds the image and runs these tests.
package image_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// An engine is docker, podman or whatever takes the same words, and the image that it has.
type engine struct {
	t              *testing.T
	command, image string
}

// open finds the engine, or skips the test where nobody has named an image.
func open(t *testing.T) engine {
	t.Helper()
	e := engine{t: t, command: cmp.Or(os.Getenv("DOCKER"), "docker"), image: os.Getenv("IMAGE")}
	if e.image == "" {
		t.Skip("no image is named in IMAGE: make image-check builds one and runs this")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("an image is to be tested, and there is no redis-server on the PATH")
	}
	return e
}

// try says a sentence to the engine.
func (e engine) try(args ...string) (string, error) {
	e.t.Helper()
	return e.tryWithin(2*time.Minute, args...)
}

func (e engine) tryWithin(limit time.Duration, args ...string) (string, error) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit) // also while the test is cleaned up
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, e.command, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

// say is try for what must not fail.
func (e engine) say(args ...string) string {
	e.t.Helper()
	out, err := e.try(args...)
	if err != nil {
		e.t.Fatalf("%s %s: %v\n%s", e.command, strings.Join(args, " "), err, out)
	}
	return out
}

// save gives the image as an archive to read.
func (e engine) save(read func(io.Reader) error) {
	e.t.Helper()
	cmd := exec.CommandContext(e.t.Context(), e.command, "save", e.image)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	must(e.t, err)
	must(e.t, cmd.Start())
	failed := read(out)
	_, _ = io.Copy(io.Discard, out) // so that it ends
	if err := cmd.Wait(); err != nil {
		e.t.Fatalf("%s save: %v\n%s", e.command, err, errs.String())
	}
	must(e.t, failed)
}

// A container is one run of the image, confined as deploy/base/deployment.yaml confines it.
type container struct {
	engine
	name string
}

// A state is what the engine knows of a container.
type state struct {
	State struct {
		Status    string `json:"Status"`
		ExitCode  int    `json:"ExitCode"`
		OOMKilled bool   `json:"OOMKilled"`
		Pid       int    `json:"Pid"`
	} `json:"State"`
}

// start begins a run. Files are what is mounted at /secrets; nothing else is given, and nothing can be written.
func (e engine) start(variables, files string, args ...string) container {
	e.t.Helper()
	c := container{engine: e, name: "watchkeeper-" + strings.ToLower(rand.Text()[:10])}
	e.t.Cleanup(func() {
		if e.t.Failed() {
			said, _ := c.try("logs", c.name) // it may never have begun
			e.t.Logf("%s said at last:\n%s", c.name, said[max(0, len(said)-4000):])
		}
		_, _ = c.try("rm", "--force", c.name)
	})
	e.say(append([]string{
		"run", "--detach", "--name", c.name, "--network", "host", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--memory", "256m", "--env", "GOMEMLIMIT=234881024", "--env-file", variables, "--volume", files + ":/secrets:ro", e.image,
	}, args...)...)
	return c
}

func (c container) state() state {
	c.t.Helper()
	var out []state
	must(c.t, json.Unmarshal([]byte(c.say("inspect", "--type", "container", c.name)), &out))
	if len(out) != 1 {
		c.t.Fatalf("%s is %d containers", c.name, len(out))
	}
	return out[0]
}

func (c container) logs() string {
	c.t.Helper()
	return c.say("logs", c.name)
}

// ended waits until a run has come to its end by itself.
func (c container) ended() state {
	c.t.Helper()
	if out, err := c.try("wait", c.name); err != nil {
		c.t.Fatalf("%s does not end: %v\n%s", c.name, err, out)
	}
	return c.state()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
