package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ServerName is the name in the certificate of every server.
const ServerName = "redis.internal"

// An Authority issues the certificates of a test: ca, server and client, each as a .crt and a .key.
type Authority struct {
	tb     testing.TB
	now    time.Time
	dir    string
	issued int64 // certificates so far
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
}

// NewAuthority makes an authority and its certificates, which are valid for an hour before and after an instant of the real clock, by which servers
// go. The server's is for ServerName, whatever its address.
func NewAuthority(tb testing.TB, now time.Time) *Authority {
	tb.Helper()
	a := &Authority{tb: tb, now: now, dir: tb.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true})
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // replicas and the nodes of a cluster are clients of each other
	a.issue("server", &x509.Certificate{DNSNames: []string{ServerName}, ExtKeyUsage: both})
	a.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return a
}

func (a *Authority) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.tb, err)
	a.issued++
	c.SerialNumber, c.Subject = big.NewInt(a.issued), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = a.now.Add(-time.Hour), a.now.Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	must(a.tb, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(a.tb, err)
	must(a.tb, os.WriteFile(a.File(name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(a.tb, os.WriteFile(a.File(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	cert, err := x509.ParseCertificate(der)
	must(a.tb, err)
	return cert, key
}

// File is the path of a certificate or a key.
func (a *Authority) File(name string) string { return filepath.Join(a.dir, name) }

// Server are the arguments with which redis-server shows its certificate and wants one of its clients.
func (a *Authority) Server() []string {
	return []string{
		"--tls-cert-file", a.File("server.crt"), "--tls-key-file", a.File("server.key"), "--tls-ca-cert-file", a.File("ca.crt"), "--tls-auth-clients", "yes",
	}
}

// Client is what a client of such a server needs.
func (a *Authority) Client() *tls.Config {
	a.tb.Helper()
	pair, err := tls.LoadX509KeyPair(a.File("client.crt"), a.File("client.key"))
	must(a.tb, err)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: ServerName}
}

// Env are the variables with which the daemon reaches such a server as its own user.
func (a *Authority) Env() []string {
	return []string{
		"WK_REDIS__TLS=true", "WK_REDIS__TLS_CA_FILE=" + a.File("ca.crt"), "WK_REDIS__TLS_CERT_FILE=" + a.File("client.crt"),
		"WK_REDIS__TLS_KEY_FILE=" + a.File("client.key"), "WK_REDIS__TLS_SERVER_NAME=" + ServerName, "WK_REDIS__USERNAME=" + Daemon,
		"WK_REDIS__PASSWORD=" + Password,
	}
}
