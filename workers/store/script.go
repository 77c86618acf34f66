package store

import (
	"context"
	"embed"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

//go:embed scripts/*.lua
var sources embed.FS

// The scripts, each with the parts it is made of.
var (
	layoutScript  = script("layout")
	epochScript   = script("server", "epoch")
	putScript     = script("epoch_check", "timer", "write", "put")
	rearmScript   = script("epoch_check", "timer", "write", "rearm")
	claimScript   = script("epoch_check", "timer", "write", "claim")
	removeScript  = script("epoch_check", "timer", "write", "remove")
	compareScript = script("compare")
	unleaseScript = script("epoch_check", "timer", "unlease")
	dueScript     = script("epoch_check", "timer", "due")
	attemptClaim  = script("epoch_check", "ledger", "attempt_claim", "items")
	attemptIntent = headed(readableReasons(), "epoch_check", "server", "ledger", "attempt_intent", "items")
	attemptSettle = script("epoch_check", "timer", "write", "ledger", "record", "attempt_settle", "items")
	attemptGive   = script("epoch_check", "ledger", "attempt_release", "items")
	approveScript = script("epoch_check", "timer", "write", "record", "approve", "items")
	reserveScript = script("epoch_check", "money", "reserve", "items")
	unspendScript = script("epoch_check", "money", "unspend", "items")
	claimsScript  = script("claims")
	killScript    = script("kill")
	mendScript    = script("mend")
	presentScript = script("presence")
	rulesScript   = script("rules")
	takeScript    = script("take")
	saveScript    = script("vault_save")
	lockScript    = script("vault_lock")
	unlockScript  = script("vault_unlock")
)

// scriptNames are the names of all of them, in their order here.
var scriptNames []string

// ScriptNames are what Options.Ran may be told of.
func ScriptNames() []string { return slices.Clone(scriptNames) }

// A luaScript knows its text, to be able to send it again to a server that has lost it, and the name of the part that does the work.
type luaScript struct {
	*redis.Script
	name, text string
}

func script(parts ...string) luaScript { return headed("", parts...) }

// headed is a script with what only this version of the program can tell in front of it.
func headed(head string, parts ...string) luaScript {
	var b strings.Builder
	b.WriteString(head)
	for _, part := range parts {
		text, err := sources.ReadFile("scripts/" + part + ".lua")
		if err != nil {
			panic(err) // a file of this package is missing: every test fails
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "items" }) // it only repeats the one before it
	name := parts[len(parts)-1]
	scriptNames = append(scriptNames, name)
	return luaScript{Script: redis.NewScript(b.String()), name: name, text: b.String()}
}

// readableReasons tells a script which reasons this version can read in the name of a kill switch.
func readableReasons() string {
	var b strings.Builder
	b.WriteString("local READS = {['']=true")
	for _, r := range sla.Reasons() {
		b.WriteString(",['" + r.String() + "']=true")
	}
	b.WriteString("}\n")
	return b.String()
}

// A call is one run of a script. All its keys carry one hash tag.
type call struct {
	script luaScript
	keys   []string
	args   []any
}

// run sends all calls in one round trip, and once more, with their text, those whose script the server does not have.
func (s *Store) run(ctx context.Context, calls []call) []*redis.Cmd {
	if s.ran != nil {
		defer s.tell(calls, s.now())
	}
	cmds := make([]*redis.Cmd, len(calls))
	pipe := s.rdb.Pipeline()
	for i, c := range calls {
		cmds[i] = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	again := s.rdb.Pipeline()
	for i, c := range calls {
		if isNoScript(cmds[i].Err()) {
			cmds[i] = again.Eval(ctx, c.script.text, c.keys, c.args...)
		}
	}
	if again.Len() > 0 {
		_, _ = again.Exec(ctx)
	}
	return cmds
}

// tell says how long calls took that went together: once for each script among them.
func (s *Store) tell(calls []call, begun time.Time) {
	took := s.now().Sub(begun)
	for i, c := range calls {
		if i == 0 || calls[i-1].script.name != c.script.name {
			s.ran(c.script.name, took)
		}
	}
}

// runOne is run for a single call.
func (s *Store) runOne(ctx context.Context, c call) (any, error) {
	return s.run(ctx, []call{c})[0].Result()
}

func isNoScript(err error) bool {
	var fromServer redis.Error
	return errors.As(err, &fromServer) && strings.HasPrefix(err.Error(), "NOSCRIPT")
}
