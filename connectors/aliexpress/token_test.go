package aliexpress

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func TestExpiredTokenIsRenewedInTheMiddleOfAWalk(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	s := p.seller()
	row := p.fetchOne(s)
	p.revoke()
	if _, err := s.Resolve(t.Context(), row); err != nil || p.grants != 1 {
		t.Errorf("want one renewal and the detail, got %d (%v)", p.grants, err)
	}
}

func TestReplicasShareARenewal(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	p.revoke()
	replicas := []*Seller{p.seller(), p.seller(), p.seller()}
	var wg sync.WaitGroup
	for _, s := range replicas {
		for range 4 {
			wg.Go(func() {
				if _, err := s.Fetch(t.Context(), connectors.Cursor{}); err != nil {
					t.Errorf("want a page, got %v", err)
				}
			})
		}
	}
	wg.Wait()
	if p.grants != 1 {
		t.Errorf("want one renewal for all replicas, got %d", p.grants)
	}
}

func TestRefusedSessionSendsAnAnswerOnceMore(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.always(agreeMethod, yes)
	s := p.seller()
	d, a := answering(p, s, sample(nil), sla.AnswerAccept)
	p.on(detailMethod, func(url.Values) any {
		p.good = "none" // dies between the last read and the answer
		return object{"result_object": sample(nil)}
	})
	if _, err := s.Respond(t.Context(), d, a); err != nil || len(p.calls(agreeMethod)) != 1 || p.grants != 1 {
		t.Errorf("want the answer taken once with the new token, got %d after %d renewals (%v)", len(p.calls(agreeMethod)), p.grants, err)
	}
}

// What comes after the intent may take long: the last read, and the renewal of a token that died meanwhile.
func TestASwitchThrownBeforeTheLastRequestStopsTheAnswer(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(p *shop, throw func()){
		"the last read": func(p *shop, throw func()) {
			p.on(detailMethod, func(url.Values) any { throw(); return object{"result_object": sample(nil)} })
		},
		"a renewal": func(p *shop, throw func()) {
			p.on(detailMethod, func(url.Values) any { p.good = "none"; return object{"result_object": sample(nil)} })
			p.refresh = func() any {
				throw()
				p.good = "50000000000new"
				return object{"access_token": p.good, "refresh_token": demoRefresh, "expires_in": 2592000, "account_platform": "seller_center", "code": "0"}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.always(agreeMethod, yes)
			s := p.seller()
			d, a := answering(p, s, sample(nil), sla.AnswerAccept)
			during(p, func() { p.brake.Throw(sla.ErrKilled) })
			_, err := s.Respond(t.Context(), d, a)
			p.wantKind(err, connectors.Unavailable)
			if !errors.Is(err, sla.ErrKilled) || len(p.calls(agreeMethod)) != 0 {
				t.Errorf("want nothing sent because of the switch, got %d (%v)", len(p.calls(agreeMethod)), err)
			}
		})
	}
}

func TestFailedRenewalsHaveKinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply any
		want  connectors.Kind
	}{
		"refresh token is over":   {object{"type": "ISV", "code": "IllegalRefreshToken", "message": demoRefresh}, connectors.Unauthorised},
		"another kind of account": {object{"access_token": "50000000000x", "account_platform": "buyerApp", "expires_in": 60, "code": "0"}, connectors.Forbidden},
		"wrong signature":         {object{"type": "ISV", "code": "IncompleteSignature", "message": "m"}, connectors.Forbidden},
		"throttled":               {object{"type": "SYSTEM", "code": "ApiCallLimit", "message": "m"}, connectors.Throttled},
		"service out":             {object{"type": "ISP", "code": "ServiceUnavailable", "message": "m"}, connectors.Unavailable},
		"gateway out":             {502, connectors.Unavailable},
		"a proxy's own 401":       {401, connectors.Unavailable},
		"web page":                {"<html>", connectors.Unavailable},
		"no token in it":          {object{"code": "0", "request_id": "r"}, connectors.Unavailable},
		"another token not taken": {object{"access_token": "50000000000other", "expires_in": 2592000, "code": "0"}, connectors.Unauthorised},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.shows(sample(nil))
			p.revoke()
			p.refresh = func() any { return c.reply }
			_, err := p.seller().Fetch(t.Context(), connectors.Cursor{})
			p.wantKind(err, c.want)
		})
	}
}

func TestLifetimesAreThoseOfTheReply(t *testing.T) {
	t.Parallel()
	now := epoch
	for name, c := range map[string]struct {
		g                grant
		expires, refresh time.Time
	}{
		"seconds":       {grant{ExpiresIn: "3600", RefreshExpires: "7200", ExpireTime: "1"}, now.Add(time.Hour), now.Add(2 * time.Hour)},
		"epoch":         {grant{ExpireTime: "1769817600000"}, time.UnixMilli(1769817600000).UTC(), time.Time{}},
		"neither":       {grant{RefreshExpires: "0"}, time.Time{}, time.Time{}},
		"below nothing": {grant{ExpiresIn: "-5", ExpireTime: "-5"}, time.Time{}, time.Time{}},
		"not numbers":   {grant{ExpiresIn: "soon", ExpireTime: "later"}, time.Time{}, time.Time{}},
	} {
		if got := c.g.token(now); !got.Expires.Equal(c.expires) || !got.RefreshExpires.Equal(c.refresh) || !got.Issued.Equal(now) {
			t.Errorf("%s: want %v and %v, got %v and %v", name, c.expires, c.refresh, got.Expires, got.RefreshExpires)
		}
	}
}
