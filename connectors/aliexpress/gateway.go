package aliexpress

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// request is one business call.
type request struct {
	method  string // the platform's dotted name
	subject string
	effect  bool
	answer  bool // asks the brake, with the reason
	reason  sla.Reason
	params  params
	// check reads the reply; what it does not understand is Malformed (of an effect: an unknown outcome).
	check func(envelope) *connectors.Error
}

// answer is what came back.
type answer struct {
	envelope
	transport.Reply
}

// malformed is said of a reply that is not what the method answers.
func malformed() *connectors.Error {
	return &connectors.Error{Kind: connectors.Malformed, Err: errReply}
}

// call makes a business call. When the platform does not take the access token it is renewed and the call made once more: such a
// refusal comes from the gateway, before a method could have had an effect.
func (s *Seller) call(ctx context.Context, r request) (answer, error) {
	access, err := s.tokens.Access(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := s.send(ctx, r, access)
	if !errors.Is(err, errSession) {
		return a, err
	}
	s.tokens.Invalidate(ctx, access)
	renewed, tokenErr := s.tokens.Access(ctx)
	if tokenErr != nil {
		return answer{}, tokenErr
	}
	if renewed == access {
		return a, err
	}
	return s.send(ctx, r, renewed)
}

// send makes one request to /sync.
func (s *Seller) send(ctx context.Context, r request, access string) (answer, error) {
	p := s.system()
	p["method"], p["session"], p["format"], p["simplify"] = r.method, access, "json", "true"
	maps.Copy(p, r.params)
	var a answer
	var err error
	a.Reply, err = s.client.Do(ctx, transport.Call{
		Op: operation(r.method), Subject: r.subject, Effect: r.effect, Answer: r.answer, Reason: r.reason, Method: "POST", Path: "/sync",
		Body: form(s.secret.Value(), "", p), ContentType: formType,
		Classify: func(status int, body []byte) *connectors.Error {
			e, fault := read(status, body, r.method, r.effect)
			if fault == nil && status < 300 {
				fault = r.check(e)
			}
			a.envelope = e
			return fault
		},
	})
	return a, err
}

const formType = "application/x-www-form-urlencoded;charset=utf-8"

// operation is the method's name as metrics show it.
func operation(method string) string {
	return string(Name) + " " + strings.TrimPrefix(method, "aliexpress.")
}

// system are the parameters of every call. The time is the platform's own as far as we know it: it refuses a clock that is two hours off.
func (s *Seller) system() params {
	now := s.now().Add(s.client.Skew())
	return params{"app_key": s.appKey, "sign_method": "sha256", "timestamp": strconv.FormatInt(now.UnixMilli(), 10)}
}

// read opens a reply and finds the platform's refusal in it. Errors come with HTTP 200 [ae_sdk]; another status is the way's trouble, and
// tells for itself unless the gateway's own words are in it.
func read(status int, body []byte, method string, effect bool) (envelope, *connectors.Error) {
	ok := status >= 200 && status < 300
	if !ok && (status >= 500 || status == 429) {
		return envelope{}, nil
	}
	e, err := open(body, method)
	switch {
	case err != nil && ok:
		return envelope{}, malformed()
	case err != nil:
		return envelope{}, nil //nolint:nilerr // a status of failure speaks for itself
	case e.refused != nil:
		return e, e.refused.fault(effect)
	}
	return e, nil
}

// subject is store and dispute, for errors.
func (s *Seller) subject(ref sla.DisputeRef) string { return string(s.store) + "/" + ref.ID.Native }
