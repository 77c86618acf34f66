package notify

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// prefix is that of the variables, for errors.
const prefix = "WK_NOTIFY__"

// Config says where warnings and pages are posted; addresses of hooks are secrets, as their owners take whatever is posted there.
type Config struct {
	// ChatURL takes warnings; ChatURLFile names a file to read it from, and excludes it.
	ChatURL     string `env:"CHAT_URL"`
	ChatURLFile string `env:"CHAT_URL_FILE"`
	// PageURL takes pages; not set: the chat takes them. PageURLFile names a file to read it from, and excludes it.
	PageURL     string `env:"PAGE_URL"`
	PageURLFile string `env:"PAGE_URL_FILE"`
	// TokenFile names a file with the bearer token that both hooks want; not set: none.
	TokenFile string `env:"TOKEN_FILE"`
}

// Anywhere reports whether anything is posted at all.
func (c Config) Anywhere() bool {
	return c.ChatURL+c.ChatURLFile+c.PageURL+c.PageURLFile != ""
}

// A SecretFile reads the secret that a file holds. Its errors tell why it cannot, never what it holds.
type SecretFile func(path string) (string, error)

// Validate lists what is wrong with the variables, each with its name and never with a value. It reads the files.
func (c Config) Validate(file SecretFile) []error {
	_, errs := c.read(file)
	return errs
}

// Apply gives the options the addresses and the token, read from their files where the variables say so.
func (c Config) Apply(o Options, file SecretFile) (Options, error) {
	h, errs := c.read(file)
	o.ChatURL, o.PageURL, o.Token = h.chat, h.page, h.token
	return o, errors.Join(errs...)
}

type secrets struct{ chat, page, token string }

func (c Config) read(file SecretFile) (secrets, []error) {
	var s secrets
	var errs []error
	bad := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", prefix, name, err))
		}
	}
	line := func(path string) (string, error) {
		text, err := file(path)
		return strings.TrimRight(text, "\r\n"), err
	}
	address := func(name, inline, path string) string {
		raw := inline
		if path != "" {
			if inline != "" {
				bad(name+"_FILE", fmt.Errorf("set it or %s%s, not both", prefix, name))
				return ""
			}
			name += "_FILE"
			var err error
			if raw, err = line(path); err != nil {
				bad(name, err)
				return ""
			}
		}
		if raw != "" {
			bad(name, checkURL(raw))
		}
		return raw
	}
	s.chat = address("CHAT_URL", c.ChatURL, c.ChatURLFile)
	s.page = address("PAGE_URL", c.PageURL, c.PageURLFile)
	if c.TokenFile == "" {
		return s, errs
	}
	var err error
	if s.token, err = line(c.TokenFile); err == nil {
		err = checkToken(s.token)
	}
	bad("TOKEN_FILE", err)
	if c == (Config{TokenFile: c.TokenFile}) {
		bad("TOKEN_FILE", fmt.Errorf("no hook wants it: set %sCHAT_URL_FILE or %sPAGE_URL_FILE as well", prefix, prefix))
	}
	return s, errs
}

// checkURL never repeats what it refuses.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, !printable(raw), u.Hostname() == "":
		return errors.New("want an address such as https://hooks.example.com/services/name")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("want https; http only to a loopback host, for example http://127.0.0.1:8065/hooks/name")
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// checkToken refuses what cannot stand in a header, a second line in the file for example.
func checkToken(token string) error {
	if !printable(token) {
		return errors.New("want one line of printable characters without spaces in the file it names")
	}
	return nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
