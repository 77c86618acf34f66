package track17

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The wire structs serve both versions: v2.4 only adds members [D24]. Members that nobody reads are left out.

// text is a string that also comes as a number (carrier codes in rejections [D22]) or as null.
type text string

// UnmarshalJSON reads a string, a number or null.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case string(raw) == "null":
		*t = ""
		return nil
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return errors.New("broken string")
		}
		*t = text(strings.TrimSpace(s))
		return nil
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		*t = text(raw)
		return nil
	}
	return errors.New("want a string or a number")
}

// number is the value as an integer, 0 when it is none.
func (t text) number() int64 {
	n, _ := t.integer()
	return n
}

func (t text) integer() (int64, bool) {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}

type wireError struct {
	Code text `json:"code"`
}

// envelope is what every reply begins with. A request fails with a code at the top, or with code 0 and errors inside.
type envelope struct {
	Code text `json:"code"`
	Data *struct {
		Errors []wireError `json:"errors"`
	} `json:"data"`
}

// listReply is what the list tells besides its rows. The page object stands beside data [D22].
type listReply struct {
	Page struct {
		Total text `json:"page_total"`
	} `json:"page"`
	Data struct {
		Accepted json.RawMessage `json:"accepted"`
	} `json:"data"`
}

type wireAddress struct {
	Country text `json:"country"`
}

type wireEvent struct {
	TimeISO     text            `json:"time_iso"`
	TimeUTC     text            `json:"time_utc"`
	TimeRaw     json.RawMessage `json:"time_raw"`
	Description text            `json:"description"`
	Stage       text            `json:"stage"`
	SubStatus   text            `json:"sub_status"`
	Address     *wireAddress    `json:"address"`
}

type wireStage struct {
	KeyStage text `json:"key_stage"`
	TimeISO  text `json:"time_iso"`
	TimeUTC  text `json:"time_utc"`
}

type wireProvider struct {
	Provider struct {
		Key text `json:"key"`
	} `json:"provider"`
	Events []json.RawMessage `json:"events"` // decoded one by one: a bad scan must not hide the others
}

type wireTrackInfo struct {
	ShippingInfo struct {
		Shipper   *wireAddress `json:"shipper_address"`
		Recipient *wireAddress `json:"recipient_address"`
	} `json:"shipping_info"`
	LatestStatus struct {
		Status    text `json:"status"`
		SubStatus text `json:"sub_status"`
	} `json:"latest_status"`
	LatestEvent json.RawMessage `json:"latest_event"`
	Milestone   []wireStage     `json:"milestone"`
	Tracking    struct {
		Providers []wireProvider `json:"providers"`
	} `json:"tracking"`
}

// wireItem is one number of a gettrackinfo reply or of a webhook, accepted or rejected.
type wireItem struct {
	Number     text           `json:"number"`
	Carrier    text           `json:"carrier"`
	OrderNo    text           `json:"order_no"`
	OriginLand text           `json:"origin_country"`
	DestLand   text           `json:"destination_country"`
	TrackInfo  *wireTrackInfo `json:"track_info"`
	Error      *wireError     `json:"error"`
}

// wireRow is one number of the list. Its times are null or empty when not known.
type wireRow struct {
	Number          text `json:"number"`
	Carrier         text `json:"carrier"`
	ShippingCountry text `json:"shipping_country"`
	Recipient       text `json:"recipient_country"`
	RegisterTime    text `json:"register_time"`
	TrackingStatus  text `json:"tracking_status"`
	PackageStatus   text `json:"package_status"`
	OrderNo         text `json:"order_no"`
	LatestTime      text `json:"latest_event_time"`
	LatestInfo      text `json:"latest_event_info"`
}

// decode reads one JSON value. Its error says nothing of the content: the library's words quote it.
func decode(raw []byte, into any) error {
	if bytes.Contains(raw, []byte(` ":`)) {
		raw = trimKeys(raw)
	}
	err := json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return errors.New("a member has the wrong type")
	}
	return errors.New("not the JSON that was expected")
}

// trimKeys takes the blanks off the ends of member names: some documented names carry one [D22]. What cannot be read comes back as
// it is.
func trimKeys(raw []byte) []byte {
	in := jsontext.NewDecoder(bytes.NewReader(raw), loose)
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out, loose)
	for {
		token, err := in.ReadToken()
		if errors.Is(err, io.EOF) {
			return out.Bytes()
		}
		if err != nil {
			return raw
		}
		if kind, n := in.StackIndex(in.StackDepth()); kind == '{' && n%2 == 1 && token.Kind() == '"' {
			token = jsontext.String(strings.TrimSpace(token.String()))
		}
		if err := enc.WriteToken(token); err != nil {
			return raw
		}
	}
}

// loose accepts what a platform may send: one cut emoji or a name told twice must not hide a record.
var loose = json2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// members goes through a JSON object.
func members(raw []byte, each func(name string, value jsontext.Value)) error {
	in := jsontext.NewDecoder(bytes.NewBuffer(raw), loose)
	if token, err := in.ReadToken(); err != nil || token.Kind() != '{' {
		return errors.New("not an object")
	}
	for in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return errors.New("broken JSON")
		}
		key := strings.TrimSpace(name.String())
		value, err := in.ReadValue()
		if err != nil {
			return errors.New("broken JSON")
		}
		each(key, value)
	}
	return nil
}
