package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A reading is what a platform's normaliser made of a reply.
type reading struct {
	platform  sla.Platform
	disputes  []sla.Dispute
	shipments []sla.Shipment
	rejects   []connectors.Reject
}

func (r reading) found() int { return len(r.disputes) + len(r.shipments) }

var errNormaliser = errors.New("the normaliser broke down")

// read gives a reply to one platform's normaliser. One poisonous reply must not stop the rest.
func read(p connectors.Platform, body []byte) (r reading, err error) {
	defer func() {
		if recover() != nil {
			err = errNormaliser
		}
	}()
	r.platform = p.Name
	if p.NormaliseReply == nil {
		return r, fmt.Errorf("platform %s: recorded replies cannot be read", p.Name)
	}
	r.disputes, r.shipments, r.rejects, err = p.NormaliseReply(body)
	return r, err
}

// asked is the platform that a recorded request went to, by the name of its host; nil when that tells nothing.
func asked(registry connectors.Registry, recordedURL string) *connectors.Platform {
	host := hostOf(recordedURL)
	for i := range registry {
		if host != "" && atHome(registry[i].Name, host) {
			return &registry[i]
		}
	}
	return nil
}

// guess reads a reply as whichever platform makes something of it. The reply of a public host is not guessed at: it is a service that we
// do not know, and its words may look like another's.
func guess(registry connectors.Registry, recordedURL string, body []byte) (reading, error) {
	if host := hostOf(recordedURL); strings.Contains(host, ".") && net.ParseIP(host) == nil {
		return reading{}, fmt.Errorf("no platform is known at %s; say --platform", clean(host))
	}
	var best []reading
	for _, p := range registry {
		if r, err := read(p, body); err == nil && r.found() > 0 {
			best = append(best, r)
		}
	}
	switch len(best) {
	case 0:
		return reading{}, errors.New("no platform can read it")
	case 1:
		return best[0], nil
	}
	return reading{}, fmt.Errorf("%s and %s can both read it; say --platform", best[0].platform, best[1].platform)
}

func hostOf(recorded string) string {
	u, err := url.Parse(recorded)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// atHome reports whether a host is a platform's by its name: one label of the host has every run of letters and of digits that the name
// has, so that track17 is at home at api.17track.net.
func atHome(p sla.Platform, host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		all := true
		for _, run := range runs(string(p)) {
			all = all && strings.Contains(label, run)
		}
		if all {
			return true
		}
	}
	return false
}

// runs splits "track17" into "track" and "17".
func runs(name string) []string {
	var out []string
	start := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || unicode.IsDigit(rune(name[i])) != unicode.IsDigit(rune(name[i-1])) {
			out = append(out, name[start:i])
			start = i
		}
	}
	return out
}
