package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

var errForbidden = errors.New("not an address that this store may call")

// special are networks that are neither private nor public in the eyes of net/netip, and where nobody's platform is.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("100::/64"),
}

// metadata is where clouds hand out credentials of the machine. No base URL opens it.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("169.254.170.2"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"),
}

// public reports whether an address is of the open internet.
func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// egress says where one store's connections may go.
type egress struct {
	host    string // the only one
	private bool   // the operator named a host that may be inside, a sandbox, a mirror or a simulator
}

// egressOf takes the base URL's host, or that of the proxy which the environment puts before it: then the proxy resolves, and decides.
func egressOf(base *url.URL, home string) egress {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base}); err == nil && proxy != nil {
		return egress{host: proxy.Hostname(), private: true}
	}
	own, err := url.Parse(home)
	return egress{host: base.Hostname(), private: err != nil || !strings.EqualFold(own.Hostname(), base.Hostname())}
}

// dialer looks at each address at the moment of its dial, after its name was resolved, so that a name which points elsewhere by then leads
// nowhere.
func (e egress) dialer() func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: e.control}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || !strings.EqualFold(host, e.host) {
			return nil, errForbidden
		}
		return d.DialContext(ctx, network, addr)
	}
}

func (e egress) control(_, addr string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return errForbidden
	}
	ip := to.Addr().Unmap().WithZone("")
	if slices.Contains(metadata, ip) {
		return fmt.Errorf("%w: it hands out credentials of the machine", errForbidden)
	}
	if e.private || public(ip) {
		return nil
	}
	return fmt.Errorf("%w: its name leads to an address that is not public", errForbidden)
}
