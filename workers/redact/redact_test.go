package redact_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"watchkeeper/workers/redact"
)

// secrets in the forms in which they come, each with the part that must not be seen.
var secrets = map[string]struct{ text, hidden string }{
	"registered":     {"the key is hunter2 today", "hunter2"},
	"bearer":         {"Authorization: Bearer abc.def-ghi", "abc.def-ghi"},
	"basic":          {"basic dXNlcjpwYXNz", "dXNlcjpwYXNz"},
	"query":          {"GET /x?a=1&access_token=50000abc&b=2", "50000abc"},
	"signature":      {"/rest?sign=AB12CD34&x=1", "AB12CD34"},
	"JSON":           {`{"refresh_token":"r3fr3sh","n":1}`, "r3fr3sh"},
	"quoted JSON":    {`"{\"refresh_token\":\"r3fr3sh\"}"`, "r3fr3sh"},
	"userinfo":       {"redis://user:pa55@redis:6379/0", "pa55"},
	"e-mail":         {"buyer jane.doe+x@example.co.uk wrote", "jane.doe"},
	"JWT":            {"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNryP4J3"},
	"platform token": {"token 50000601c30qyTpCDhLIbeZIr4vKlVzeyVfAoTfhpzwzoGLtzQB7fWf8kWYxTz expired", "4vKlVzeyVf"},
	"hex key":        {"key 0123456789ABCDEF0123456789ABCDEF", "89ABCDEF0"},
	"private key":    {"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----", "MIGHAgEAMBMG"},
}

type object struct{ text string }

func (o object) MarshalLogObject(to zapcore.ObjectEncoder) error {
	to.AddString("inner", o.text)
	to.AddByteString("bytes", []byte(o.text))
	to.AddDuration("took", time.Second)
	return errors.Join(to.AddReflected("reflected", map[string]any{"deep": []string{o.text}}), to.AddObject("object", leaf(o)))
}

type leaf struct{ text string }

func (l leaf) MarshalLogObject(to zapcore.ObjectEncoder) error {
	to.AddString("leaf", l.text)
	return nil
}

type stringer struct{ text string }

func (s stringer) String() string { return s.text }

type verbose struct{ text string }

func (v verbose) Error() string              { return v.text }
func (v verbose) Format(f fmt.State, _ rune) { fmt.Fprint(f, "verbose: ", v.text) }

// fields puts a text into every type of field that can hold one.
func fields(text string) []zap.Field {
	wrapped := fmt.Errorf("call: %w", &url.Error{Op: "Get", URL: "https://x/", Err: errors.Join(errors.New("other"), errors.New(text))})
	return []zap.Field{
		zap.String("string", text), zap.Stringp("pointer", &text), zap.Strings("strings", []string{"a", text}), zap.ByteString("bytes", []byte(text)),
		zap.ByteStrings("byteses", [][]byte{[]byte(text)}), zap.Binary("binary", []byte(text)), zap.Error(wrapped), zap.NamedError("named", verbose{text}),
		zap.Errors("errors", []error{wrapped, verbose{text}}), zap.Stringer("stringer", stringer{text}), zap.Stringers("stringers", []stringer{{text}}),
		zap.Any("any", map[string]string{text: text}), zap.Any("nested", struct{ A []any }{[]any{text, map[string]any{"x": text}}}),
		zap.Reflect("reflect", &struct{ Text string }{text}), zap.Object("object", object{text}), zap.Objects("objects", []object{{text}}),
		zap.Inline(object{text}), zap.Dict("dict", zap.String("s", text)), zap.Any("raw", []byte(text)), zap.Any("error in any", wrapped),
		zap.Namespace("space"), zap.String("within", text),
	}
}

func logger(r *redact.Redactor) (*zap.Logger, *bytes.Buffer) {
	var out bytes.Buffer
	inner := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.DebugLevel)
	return zap.New(r.Core(inner)), &out
}

func TestNoSecretPassesInAnyTypeOfField(t *testing.T) {
	t.Parallel()
	for name, s := range secrets {
		for i, f := range fields(s.text) {
			for where, write := range map[string]func(*zap.Logger){
				"field": func(l *zap.Logger) { l.Info("m", f) }, "with": func(l *zap.Logger) { l.With(f).Info("m") },
				"sugar": func(l *zap.Logger) { l.Sugar().Infow("m", f) },
			} {
				l, out := logger(redact.New("hunter2"))
				write(l)
				if strings.Contains(out.String(), s.hidden) {
					t.Errorf("%s: field %d (%s), %s: %s", name, i, f.Key, where, out)
				}
			}
		}
		l, out := logger(redact.New("hunter2"))
		l.Info(s.text)
		l.Sugar().Warnf("said: %s", s.text)
		l.Named("x").WithOptions(zap.AddStacktrace(zap.DebugLevel)).Error("e: " + s.text)
		if strings.Contains(out.String(), s.hidden) || strings.Count(out.String(), "\n") != 3 {
			t.Errorf("%s: want three messages without it, got %s", name, out)
		}
	}
}

func TestWhatIsNamedLikeASecretIsHiddenWhateverItsType(t *testing.T) {
	t.Parallel()
	l, out := logger(redact.New())
	l.Info("m", zap.String("access_token", "short"), zap.Int("Password", 4711), zap.Any("x", map[string]any{"apiKey": "short", "ok": 7}),
		zap.Dict("d", zap.String("buyer_email", "short")), zap.Bool("cookie", true))
	if got := out.String(); strings.Contains(got, "short") || strings.Contains(got, "4711") || strings.Contains(got, "true") || !strings.Contains(got, `"ok":7`) {
		t.Errorf("got %s", got)
	}
}

func TestInnocentLinesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"case AE01/9123456789012345 answered in 1.5s", "job 3b241101-e2bb-4255-8caf-4136c566a962 failed", "dial tcp 127.0.0.1:6379: connect: connection refused",
		"watchkeeper/workers/handle.(*Handlers).respondToTheCaseThatIsDueNow /src/workers/handle/respond.go:123", "WK_STORE__AE01__APP_SECRET_FILE: the file cannot be read",
		"rules 8c1f4a2e9b03", "https://api-sg.aliexpress.com/rest", "12345678901234567890123456789012345",
	} {
		if got := redact.New("hunter2", "abc").String(text); got != text {
			t.Errorf("want %q left, got %q", text, got)
		}
	}
	l, out := logger(redact.New())
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	l.Info("m", zap.Int64("id", 1<<60), zap.Duration("took", time.Second), zap.Time("at", at), zap.Any("list", []int{1, 2}), zap.Stringer("nil", (*stringer)(nil)), zap.Skip())
	for _, want := range []string{`"id":1152921504606846976`, `"took":1`, `"at":1772442000`, `"list":[1,2]`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %s in %s", want, out)
		}
	}
}

func TestTheTraceOfALineStaysAndNothingElseUnderItsName(t *testing.T) {
	t.Parallel()
	const trace, known = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c"
	l, out := logger(redact.New(known))
	l.With(zap.String("trace_id", trace)).Info("m")
	l.Info("m", zap.String("trace_id", trace), zap.String("other", "0af7651916cd43dd8448eb211c80319d"))
	for _, text := range []string{known, trace + "0", "Bearer " + trace, "jane@example.com"} {
		l.Info("m", zap.String("trace_id", text))
	}
	if got := out.String(); strings.Count(got, trace) != 2 || strings.Contains(got, "319d") || strings.Contains(got, known) || strings.Contains(got, "jane") {
		t.Errorf("want the trace of two lines and nothing else, got %s", got)
	}
}

func TestALevelThatIsOffStaysOff(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	inner := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.WarnLevel)
	zap.New(redact.New().Core(inner)).Info("quiet")
	if out.Len() != 0 {
		t.Errorf("got %s", &out)
	}
}

func FuzzRegisteredValuesNeverShow(f *testing.F) {
	f.Add("hunter2", "before hunter2 after")
	f.Add("a@b.c", "x a@b.c=a@b.c")
	f.Fuzz(func(t *testing.T, secret, text string) {
		if len(secret) < 4 || strings.Contains(redact.Hidden, secret) { //nolint:gocritic // in this order
			t.Skip("not registered, or part of what stands in its place")
		}
		if got := redact.New(secret).String(text + secret + text); strings.Contains(strings.ReplaceAll(got, redact.Hidden, "\x00"), secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	discard := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(nothing{}), zap.InfoLevel)
	known := make([]string, 20)
	for i := range known {
		known[i] = fmt.Sprintf("secret-value-number-%02d-of-a-fleet", i)
	}
	err := errors.New("track17 gettrackinfo of T17: unavailable: no reply within 25s")
	for name, core := range map[string]zapcore.Core{"plain": discard, "redacted": redact.New(known...).Core(discard)} {
		b.Run(name, func(b *testing.B) {
			l := zap.New(core)
			b.ReportAllocs()
			for b.Loop() {
				l.Info("decided", zap.String("case", "AE01/9123456789012345"), zap.String("action", "refuse"), zap.Duration("left", time.Hour), zap.Int("turn", 3), zap.Error(err))
			}
		})
	}
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
