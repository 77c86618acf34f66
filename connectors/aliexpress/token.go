package aliexpress

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

const refreshPath = "/auth/token/refresh"

// grant is the reply of the token methods [AE1364, ae_sdk].
type grant struct {
	Access         text `json:"access_token"`
	Refresh        text `json:"refresh_token"`
	ExpiresIn      text `json:"expires_in"`         // seconds
	RefreshExpires text `json:"refresh_expires_in"` // seconds; 0: it cannot be used again
	ExpireTime     text `json:"expire_time"`        // epoch milliseconds
	Platform       text `json:"account_platform"`
}

// refresh asks for a new access token. It is sent once: a lost reply costs nothing but another call, since the refresh token stays good
// until it is replaced. Only the platform's own word ends a refresh token; everything else is trouble that may pass.
func (s *Seller) refresh(ctx context.Context, refresh string) (transport.Token, error) {
	p := s.system()
	p["refresh_token"] = refresh
	var g grant
	_, err := s.client.Do(ctx, transport.Call{
		Op: "aliexpress auth.token.refresh", Subject: string(s.store), Effect: true, Method: "POST", Path: "/rest" + refreshPath,
		Body: form(s.secret.Value(), refreshPath, p), ContentType: formType,
		Classify: func(status int, body []byte) *connectors.Error {
			e, fault := read(status, body, "", true)
			if fault == nil && status < 300 {
				fault = g.read(e)
			}
			return fault
		},
	})
	if err != nil {
		return transport.Token{}, notDone(err)
	}
	return g.token(s.now()), nil
}

func (g *grant) read(e envelope) *connectors.Error {
	switch {
	case json.Unmarshal(e.params, g) != nil || g.Access == "":
		return malformed()
	case g.Platform != "" && g.Platform != "seller_center":
		return &connectors.Error{Kind: connectors.Forbidden, Err: errors.New("the token is not a seller's")}
	}
	return nil
}

// notDone keeps a failed renewal from looking like an answer of unknown outcome, and a proxy's 401 from ending a good refresh token.
func notDone(err error) error {
	var e *connectors.Error
	if errors.As(err, &e) && (e.Kind == connectors.OutcomeUnknown || e.Kind == connectors.Unauthorised && e.Code == "") {
		e.Kind = connectors.Unavailable
	}
	return err
}

// token takes the reply's own lifetimes: the documented ones depend on the kind of app.
func (g *grant) token(now time.Time) transport.Token {
	t := transport.Token{Access: string(g.Access), Refresh: string(g.Refresh), Issued: now}
	if d := seconds(g.ExpiresIn); d > 0 {
		t.Expires = now.Add(d)
	} else if ms, err := strconv.ParseInt(string(g.ExpireTime), 10, 64); err == nil && ms > 0 {
		t.Expires = time.UnixMilli(ms).UTC()
	}
	if d := seconds(g.RefreshExpires); d > 0 {
		t.RefreshExpires = now.Add(d)
	}
	return t
}

func seconds(t text) time.Duration { return time.Duration(t.number()) * time.Second }
