package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/transport"
)

// Redis says where the memory is.
type Redis struct {
	// Addrs is one host:port, several of a cluster, or the sentinels when Master is set.
	Addrs []string `env:"ADDRS, default=127.0.0.1:6379"`
	// Master is the name that the sentinels know the master by; empty without Sentinel.
	Master string `env:"MASTER"`
	// Cluster makes a single address a cluster's.
	Cluster bool `env:"CLUSTER, default=false"`
	DB      int  `env:"DB, default=0"`
	// Username and Password log in; PasswordFile names a file to read the password from, and excludes Password.
	Username     string `env:"USERNAME"`
	Password     string `env:"PASSWORD"`
	PasswordFile string `env:"PASSWORD_FILE"`
	// SentinelUsername and SentinelPasswordFile log in to the sentinels, which have users of their own.
	SentinelUsername     string `env:"SENTINEL_USERNAME"`
	SentinelPasswordFile string `env:"SENTINEL_PASSWORD_FILE"`
	TLS                  bool   `env:"TLS, default=false"`
	// TLSCAFile holds the authorities to trust in place of the system's; TLSCertFile and TLSKeyFile are what this process shows; TLSServerName
	// is the name that every server's certificate must have in place of its address.
	TLSCAFile     string `env:"TLS_CA_FILE"`
	TLSCertFile   string `env:"TLS_CERT_FILE"`
	TLSKeyFile    string `env:"TLS_KEY_FILE"`
	TLSServerName string `env:"TLS_SERVER_NAME"`
	// Shards is fixed at the first start with an empty Redis.
	Shards int `env:"SHARDS, default=8"`
}

func (r Redis) validate() []error {
	var errs []error
	bad := func(name, want string) { errs = append(errs, fmt.Errorf("%sREDIS__%s: %s", Prefix, name, want)) }
	if len(r.Addrs) == 0 {
		bad("ADDRS", "want host:port, for example redis:6379")
	}
	for _, addr := range r.Addrs {
		if !isAddr(addr) {
			bad("ADDRS", "want host:port, for example redis:6379")
			break
		}
	}
	if r.Password != "" && r.PasswordFile != "" {
		bad("PASSWORD_FILE", "set it or WK_REDIS__PASSWORD, not both")
	} else if _, err := r.password(); err != nil {
		errs = append(errs, err)
	}
	if r.Master == "" && r.SentinelUsername+r.SentinelPasswordFile != "" {
		bad("MASTER", "required with WK_REDIS__SENTINEL_USERNAME or WK_REDIS__SENTINEL_PASSWORD_FILE")
	} else if _, err := secretFile("SENTINEL_PASSWORD_FILE", r.SentinelPasswordFile); err != nil {
		errs = append(errs, err)
	}
	if !r.TLS && r.TLSCAFile+r.TLSCertFile+r.TLSKeyFile+r.TLSServerName != "" {
		bad("TLS", "want true with any other WK_REDIS__TLS_ variable: without it nothing is encrypted")
	} else if _, err := r.tls(); err != nil {
		errs = append(errs, err)
	}
	if r.Shards < 1 || r.Shards > 64 {
		bad("SHARDS", "want 1 to 64")
	}
	return errs
}

// isAddr accepts host:port with a port in digits: names of services depend on the machine.
func isAddr(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	n, bad := strconv.Atoi(port)
	return err == nil && bad == nil && n >= 0 && n <= 65535
}

func secretFile(name, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := transport.SecretFile(path)
	if err != nil {
		return "", fmt.Errorf("%sREDIS__%s: %w", Prefix, name, err)
	}
	return text, nil
}

func (r Redis) password() (string, error) {
	if r.PasswordFile == "" {
		return r.Password, nil
	}
	return secretFile("PASSWORD_FILE", r.PasswordFile)
}

// tls is nil when the connection is not encrypted.
func (r Redis) tls() (*tls.Config, error) {
	if !r.TLS {
		return nil, nil //nolint:nilnil // nothing is how the client is told so
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.TLSServerName}
	if r.TLSCAFile != "" {
		pem, err := os.ReadFile(r.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("WK_REDIS__TLS_CA_FILE: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("WK_REDIS__TLS_CA_FILE: %s: no certificate in PEM", r.TLSCAFile)
		}
	}
	if (r.TLSCertFile == "") != (r.TLSKeyFile == "") {
		return nil, errors.New("WK_REDIS__TLS_CERT_FILE: set it and WK_REDIS__TLS_KEY_FILE, or neither")
	}
	if r.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(r.TLSCertFile, r.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("WK_REDIS__TLS_CERT_FILE: with WK_REDIS__TLS_KEY_FILE: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// client makes the options of a Redis client.
func (r Redis) client() (*redis.UniversalOptions, error) {
	password, err := r.password()
	sentinel, err2 := secretFile("SENTINEL_PASSWORD_FILE", r.SentinelPasswordFile)
	secure, err3 := r.tls()
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	return &redis.UniversalOptions{
		Addrs: r.Addrs, MasterName: r.Master, DB: r.DB, Username: r.Username, Password: password, IsClusterMode: r.Cluster,
		SentinelUsername: r.SentinelUsername, SentinelPassword: sentinel, TLSConfig: secure,
		DialTimeout: 3 * time.Second, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second, ContextTimeoutEnabled: true,
	}, nil
}
