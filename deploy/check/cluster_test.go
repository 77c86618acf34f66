package check

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// assetsVariable names a folder with etcd, kube-apiserver and kubectl, as the tests of controllers have it; deploy/check/assets.sh builds one.
const assetsVariable = "KUBEBUILDER_ASSETS"

// boot is how long a part of the cluster may take until it answers.
const boot = 2 * time.Minute

// A cluster is what decides about objects in a real one: etcd, the API server, and, where the folder has it, the controllers. It has no
// machines, so nothing ever runs.
type cluster struct {
	t           *testing.T
	assets, dir string
	token, url  string
	controlled  bool
}

// startCluster starts one that ends with the test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, assets: os.Getenv(assetsVariable), dir: t.TempDir(), token: rand.Text()}
	if c.assets == "" {
		t.Skip(assetsVariable + " names no folder with etcd, kube-apiserver and kubectl: see deploy/check/assets.sh")
	}
	store := "http://" + c.freeAddr()
	peers := "http://" + c.freeAddr()
	c.launch("etcd", "--data-dir", filepath.Join(c.dir, "etcd"), "--listen-client-urls", store, "--advertise-client-urls", store, "--listen-peer-urls", peers,
		"--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--unsafe-no-fsync", "--log-level", "error")
	_, port, _ := strings.Cut(c.freeAddr(), ":")
	c.url = "https://127.0.0.1:" + port
	c.write("tokens", c.token+",admin,admin,system:masters\n")
	c.write("accounts.key", privateKey(t))
	c.launch("kube-apiserver", "--etcd-servers", store, "--bind-address", "127.0.0.1", "--secure-port", port, "--cert-dir", c.at("certificates"),
		"--token-auth-file", c.at("tokens"), "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", c.at("accounts.key"),
		"--service-account-signing-key-file", c.at("accounts.key"), "--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "RBAC",
		"--audit-policy-file", c.write("audit.yaml", quietAudit))
	c.write("config", fmt.Sprintf(kubeconfig, c.url, c.at("certificates", "apiserver.crt"), c.token))
	c.eventually("the API server is ready", func() error {
		_, err := c.try("get", "--raw", "/readyz")
		return err
	})
	if _, err := os.Stat(filepath.Join(c.assets, "kube-controller-manager")); err == nil {
		c.controlled = true
		c.launch("kube-controller-manager", "--kubeconfig", c.at("config"), "--leader-elect=false", "--secure-port", "0",
			"--service-account-private-key-file", c.at("accounts.key"), "--use-service-account-credentials=false")
	}
	return c
}

const quietAudit = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]\n"

const kubeconfig = `apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: test, user: {token: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
`

func (c *cluster) at(parts ...string) string {
	return filepath.Join(append([]string{c.dir}, parts...)...)
}

func (c *cluster) write(name, text string) string {
	c.t.Helper()
	if err := os.WriteFile(c.at(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.at(name)
}

func (c *cluster) freeAddr() string {
	c.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(c.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// launch starts a part of the cluster, which is ended with the test. What it said at last is shown when the test fails.
func (c *cluster) launch(program string, args ...string) {
	c.t.Helper()
	log, err := os.Create(c.at(program + ".log"))
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), filepath.Join(c.assets, program), args...) // until it is killed below
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, c.dir
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already is as good
		_ = cmd.Wait()
		_ = log.Close()
		if c.t.Failed() {
			said, _ := os.ReadFile(log.Name()) // without it the test says less
			c.t.Logf("%s said at last:\n%s", program, said[max(0, len(said)-2000):])
		}
	})
}

// try says a sentence to kubectl, and gives what it answers and, when it fails, why.
func (c *cluster) try(args ...string) (string, error) { return c.tryWith(nil, args...) }

func (c *cluster) tryWith(in io.Reader, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), boot)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.assets, "kubectl"), append([]string{"--kubeconfig", c.at("config")}, args...)...)
	cmd.Env = []string{"HOME=" + c.dir, "PATH=" + os.Getenv("PATH")}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errs
	err := cmd.Run()
	if err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	if errs.Len() > 0 { // a warning of the API server, or kubectl's own
		return out.String(), fmt.Errorf("kubectl %s warns: %s", strings.Join(args, " "), errs.String())
	}
	return out.String(), nil
}

// say is try for what must succeed without a warning.
func (c *cluster) say(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// eventually waits until a question is answered without an error.
func (c *cluster) eventually(what string, ask func() error) {
	c.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(boot)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("%s: not within %s: %v", what, boot, err)
		}
		<-tick.C
	}
}
