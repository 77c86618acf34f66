package transport_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestSplitRowsFindsTheList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		path []string
		want []string
		bad  bool
	}{
		"at the top":               {body: ` [1, {"a":[2]} ,"x"] `, want: []string{"1", `{"a":[2]}`, `"x"`}},
		"deep":                     {body: `{"z":0,"a":{"b":[{"i":1},{"i":2}],"c":{}},"d":1}`, path: []string{"a", "b"}, want: []string{`{"i":1}`, `{"i":2}`}},
		"wrapped":                  {body: `{"list":{"issue":[7]}}`, path: []string{"list"}, want: []string{"7"}},
		"wrapped null":             {body: `{"list":{"issue":null}}`, path: []string{"list"}},
		"empty object":             {body: `{"list":{}}`, path: []string{"list"}},
		"absent":                   {body: `{"other":[1]}`, path: []string{"list"}},
		"null":                     {body: `{"list":null}`, path: []string{"list"}},
		"null on the way":          {body: `{"data":null}`, path: []string{"data", "list"}},
		"told twice":               {body: `{"l":[1],"l":[2]}`, path: []string{"l"}, want: []string{"1"}},
		"escaped name":             {body: `{"\u006c":[1]}`, path: []string{"l"}, want: []string{"1"}},
		"not UTF-8":                {body: "{\"l\":[\"\xff\"]}", path: []string{"l"}, want: []string{"\"\xff\""}},
		"two members, no list":     {body: `{"l":{"a":[1],"b":[2]}}`, path: []string{"l"}, want: []string{"1"}, bad: true},
		"text instead of list":     {body: `{"l":"x"}`, path: []string{"l"}, bad: true},
		"number on the way":        {body: `{"l":5}`, path: []string{"l", "m"}, bad: true},
		"cut":                      {body: `{"l":[{"i":1},{"i":2},{"i"`, path: []string{"l"}, want: []string{`{"i":1}`, `{"i":2}`}, bad: true},
		"broken element":           {body: `{"l":[{"i":1},{"i":},{"i":3}]}`, path: []string{"l"}, want: []string{`{"i":1}`}, bad: true},
		"broken after the list":    {body: `{"l":[1],"m":tru}`, path: []string{"l"}, want: []string{"1"}, bad: true},
		"bytes after the reply":    {body: `[1] x`, want: []string{"1"}, bad: true},
		"comma before the end":     {body: `[1,]`, want: []string{"1"}, bad: true},
		"wrong end":                {body: `[1}`, want: []string{"1"}, bad: true},
		"empty":                    {body: ``, bad: true},
		"a web page":               {body: `<html>hunter22</html>`, bad: true},
		"deeper than any platform": {body: strings.Repeat("[", 20000), bad: true},
	} {
		rows, err := transport.SplitRows([]byte(c.body), c.path...)
		var got []string
		for _, r := range rows {
			got = append(got, string(r))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if want := map[bool]connectors.Kind{true: connectors.Malformed}[c.bad]; connectors.KindOf(err) != want {
			t.Errorf("%s: want %v, got %v", name, want, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: the error quotes the body: %v", name, err)
		}
	}
}

func TestSplitRowsSharesTheBodyAndKeepsItWhole(t *testing.T) {
	t.Parallel()
	body := []byte(`{"l":[{"i":1},{"i":2}]}`)
	copied := bytes.Clone(body)
	rows, err := transport.SplitRows(body, "l")
	if err != nil || len(rows) != 2 || &rows[0][0] != &body[6] {
		t.Fatalf("want parts of the body, got %q (%v)", rows, err)
	}
	_ = append(rows[0], 'x') // a row's capacity ends with it
	if !bytes.Equal(body, copied) {
		t.Errorf("want the body as it was, got %s", body)
	}
}

func TestFieldReadsScalarsVerbatim(t *testing.T) {
	t.Parallel()
	const raw = `{"in":{"id":"no"},"id":9007199254740993,"s":"a\u00e9\"","t":true,"n":null,"l":[1],"e":"","f":1.50,"dup":1,"dup":2}`
	for name, want := range map[string]string{"id": "9007199254740993", "s": `aé"`, "t": "true", "e": "", "f": "1.50", "dup": "1"} {
		if got, ok := transport.Field([]byte(raw), name); got != want || !ok {
			t.Errorf("%s: want %q, got %q %v", name, want, got, ok)
		}
	}
	for _, name := range []string{"n", "l", "in", "absent"} {
		if got, ok := transport.Field([]byte(raw), name); ok {
			t.Errorf("%s: want nothing, got %q", name, got)
		}
	}
	for _, broken := range []string{``, `[]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `nonsense`, `{"a":01,"id":2}`} {
		if got, ok := transport.Field([]byte(broken), "id"); ok {
			t.Errorf("%s: want nothing, got %q", broken, got)
		}
	}
}

func TestMemberGivesTheBytes(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"a": {"b":[1, 2]} ,"n":null,"s":"x","broken":`)
	for name, want := range map[string]string{"a": `{"b":[1, 2]}`, "s": `"x"`} {
		if got, ok := transport.Member(raw, name); !ok || string(got) != want {
			t.Errorf("%s: want %s, got %s %v", name, want, got, ok)
		}
	}
	for _, name := range []string{"n", "b", "broken"} {
		if got, ok := transport.Member(raw, name); ok {
			t.Errorf("%s: want nothing, got %s", name, got)
		}
	}
}

func TestFingerprintsAreStableAndNeverZero(t *testing.T) {
	t.Parallel()
	if transport.Fingerprint(nil) == 0 || transport.FingerprintOf() == 0 {
		t.Error("want no zero")
	}
	first, again := []byte("a"), []byte("a")
	if transport.Fingerprint(first) != transport.Fingerprint(again) || transport.Fingerprint(first) == transport.Fingerprint([]byte("b")) {
		t.Error("want equal for equal bytes and different for different ones")
	}
	if transport.FingerprintOf("ab", "c") == transport.FingerprintOf("a", "bc") || transport.FingerprintOf("a", "") == transport.FingerprintOf("a") {
		t.Error("want the ends of the parts to count")
	}
}

func TestFingerprintWithoutIgnoresOnlyTheNamedMembers(t *testing.T) {
	t.Parallel()
	base := transport.FingerprintWithout([]byte(`{"id":1,"seen":"a","deep":{"seen":1}}`), "seen")
	for raw, same := range map[string]bool{
		`{"id":1,"seen":"b","deep":{"seen":1}}`:          true,
		`{"id":1,"deep":{"seen":1}}`:                     true,
		`{ "id" : 1, "seen": [2], "deep" : {"seen":1} }`: true,
		`{"id":2,"seen":"a","deep":{"seen":1}}`:          false,
		`{"id":1,"seen":"a","deep":{"seen":2}}`:          false,
		`{"di":1,"seen":"a","deep":{"seen":1}}`:          false,
		`{"id":1,"seen":"a"`:                             false,
		`[1]`:                                            false,
	} {
		if got := transport.FingerprintWithout([]byte(raw), "seen"); got == 0 || (got == base) != same {
			t.Errorf("%s: want same %v, got %x against %x", raw, same, got, base)
		}
	}
}

func TestLooksJSONTellsWebPagesApart(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{"": false, "<html>": false, "OK": false, "\xef\xbb\xbf \n{": true, "[": true, "\xef\xbb\xbf{}": true} {
		if got := transport.LooksJSON([]byte(body)); got != want {
			t.Errorf("%q: want %v, got %v", body, want, got)
		}
	}
}

func FuzzSplitRows(f *testing.F) {
	for _, s := range []string{`{"l":[{"id":1},{"id":"2"}]}`, `[1,2`, `{"l":{"w":[null]}}`, `{"l":null}`, "\x00", `{"l":[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := transport.SplitRows(body, "l")
		total := 0
		for _, r := range rows {
			total += len(r)
			if len(r) == 0 {
				t.Fatal("an empty row")
			}
			transport.Field(r, "id")
		}
		if total > len(body) {
			t.Fatal("more bytes than there were")
		}
		if k := connectors.KindOf(err); k != connectors.KindNone && k != connectors.Malformed {
			t.Fatalf("want Malformed, got %v", err)
		}
	})
}

func BenchmarkSplitRows(b *testing.B) {
	row := `{"issue_id":6040000000001,"order_id":"8100000000001","gmt_modified":"2026-01-02 03:04:05","issue_status":"processing","reason":"Package not received","buyer":{"country":"DE","tags":["a","b"]},"amount":{"cent":1999,"currency_code":"USD"}}`
	body := []byte(`{"r":{"list":[` + strings.TrimSuffix(strings.Repeat(row+",", 4000), ",") + fmt.Sprintf(`],"total":%d}}`, 4000))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		rows, err := transport.SplitRows(body, "r", "list")
		if err != nil || len(rows) != 4000 {
			b.Fatal(err, len(rows))
		}
		for _, r := range rows {
			transport.Field(r, "issue_id")
		}
	}
}
