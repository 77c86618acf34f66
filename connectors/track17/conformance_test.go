package track17

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	row := func(i int, old, fresh string) []byte {
		number, _ := conformanceRow(i)
		raw, err := json.Marshal(listRow(number, "InTransit"))
		if err != nil || !bytes.Contains(raw, []byte(old)) {
			t.Fatalf("row %d: %v", i, err)
		}
		return bytes.Replace(raw, []byte(old), []byte(fresh), 1)
	}
	conformance.Run(t, conformance.Suite{
		Build: func(tb testing.TB, url string, deps connectors.Deps) connectors.Built {
			tb.Helper()
			built, err := Platform.New(tb.Context(), envconfig.MapLookuper(map[string]string{"API_KEY": testKey, "BASE_URL": url}), deps)
			if err != nil {
				tb.Fatal(err)
			}
			return built
		},
		Serve:        serveConformance,
		Row:          conformanceRow,
		Changed:      func(i int) []byte { return row(i, `"InTransit"`, `"Exception"`) },
		Volatile:     func(i int) []byte { return row(i, `"NotPushed"`, `"Failure"`) },
		BadRow:       []byte(`{"number":["x"],"carrier":null}`),
		Unresolvable: []byte(`{"number":"LX999999999CN","package_status":{}}`),
		Replies: []conformance.Reply{
			{Name: "code at the top", Body: `{"code":-18010003,"data":{}}`, Want: connectors.Unavailable},
			{Name: "errors inside", Body: `{"code":0,"data":{"errors":[{"code":-18010004,"message":"x"}]}}`, Want: connectors.Forbidden},
			{Name: "bad key", Status: http.StatusUnauthorized, Body: `{"code":-18010002,"data":{"errors":[]}}`, Want: connectors.Unauthorised},
			{Name: "address not allowed", Status: http.StatusUnauthorized, Body: `{"code":-18010001,"data":{}}`, Want: connectors.Forbidden},
			{Name: "day used up", Body: `{"code":-18019907,"data":null}`, Want: connectors.Throttled},
			{Name: "no list", Body: `{"code":0,"data":{}}`, Want: connectors.Malformed},
			{Name: "an error without a code", Body: `{"code":0,"data":{"errors":[{}]}}`, Want: connectors.Malformed},
			{Name: "unknown code", Body: `{"code":-1,"data":null}`, Want: connectors.Malformed},
		},
		Secrets: []string{testKey},
	})
}

func conformanceRow(i int) (string, []byte) {
	number := fmt.Sprintf("LX%09dCN", i)
	raw, err := json.Marshal(listRow(number, "InTransit"))
	if err != nil {
		panic(err)
	}
	return number, raw
}

func serveConformance(w http.ResponseWriter, r *http.Request, l conformance.List) {
	body, _ := io.ReadAll(r.Body)
	if strings.HasSuffix(r.URL.Path, "/gettrackinfo") {
		var asks []ask
		_ = json.Unmarshal(body, &asks)
		accepted := make([]any, len(asks))
		for i, it := range asks {
			accepted[i], _ = moving(it)
		}
		reply(w, http.StatusOK, object{"code": 0, "data": object{"accepted": accepted}})
		return
	}
	var q listQuery
	_ = json.Unmarshal(body, &q)
	rows := l.Rows
	if q.TrackingStatus == "Stopped" {
		rows = nil
	}
	from := min((q.Page-1)*l.PerPage, len(rows))
	_, _ = fmt.Fprintf(w, `{"code":0,"page":{"page_total":%d},"data":{"accepted":[%s]}}`, (len(rows)+l.PerPage-1)/l.PerPage,
		bytes.Join(rows[from:min(from+l.PerPage, len(rows))], []byte(",")))
}
