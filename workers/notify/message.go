package notify

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A Lack says of a platform that not all of its answers can be sent in time.
type Lack struct {
	Due   int       // answers that are due
	First int       // so many of them must go before By
	By    time.Time // the last safe moment of the last of those
	Goes  float64   // answers an hour
	Wants float64   // so many an hour would not be late
}

// A Message is what people are told about one case, or about a platform.
type Message struct {
	Channel  sla.Channel // ChannelChat: a warning; ChannelPage: a page; ChannelLog goes to no hook
	Case     sla.DisputeID
	Turn     sla.Turn
	Reason   sla.Reason
	Why      sla.Why
	Stage    sla.StageKind
	Point    int       // warn points passed so far, which tells two warnings of one turn apart; 0 without any
	Deadline time.Time // zero when nobody knows it
	Cost     sla.Money // what silence costs; zero when that is not known
	Clock    string    // of a message about a process that takes no work: on which side of Redis' its clock is; empty: about something else
	Lack     *Lack     // of a message about a platform, whose Case has no more than that; nil: about a case
	Test     bool      // nothing is wrong: somebody tries the hook
}

// key is what makes two messages the same to a person.
type key struct {
	channel sla.Channel
	id      sla.DisputeID
	turn    sla.Turn
	why     sla.Why
	stage   sla.StageKind
	point   int
}

func (m Message) key() key {
	return key{channel: m.Channel, id: m.Case, turn: m.Turn, why: m.Why, stage: m.Stage, point: m.Point}
}

// payload is the body of a POST. Members are only ever added: receivers are programs of others.
type payload struct {
	Kind     string     `json:"kind"` // warning or page
	Case     string     `json:"case"`
	Platform string     `json:"platform"`
	Store    string     `json:"store"`
	Reason   string     `json:"reason"`
	Why      string     `json:"why"`
	Stage    string     `json:"stage"`
	Deadline *time.Time `json:"deadline,omitempty"`
	Left     *int64     `json:"seconds_left,omitempty"` // negative when the deadline is gone
	Cost     string     `json:"cost_of_silence,omitempty"`
	Text     string     `json:"text"`
	Due      int        `json:"answers_due,omitempty"` // of a platform, and the next two
	Goes     float64    `json:"answers_an_hour,omitempty"`
	Wants    float64    `json:"answers_an_hour_wanted,omitempty"`
	Test     bool       `json:"test,omitempty"`
}

func (m Message) kind() string {
	if m.Channel == sla.ChannelPage {
		return "page"
	}
	return "warning"
}

// body is made anew for each try, so that the time left is true when the message arrives.
func (m Message) body(now time.Time) ([]byte, error) {
	p := payload{
		Kind: m.kind(), Platform: string(m.Case.Platform), Store: string(m.Case.Store),
		Reason: m.Reason.String(), Why: m.Why.String(), Stage: m.Stage.String(), Text: m.text(now), Test: m.Test,
	}
	switch {
	case m.Clock != "", m.Test: // no case, platform or store
	case m.Lack != nil:
		p.Due, p.Goes, p.Wants = m.Lack.Due, m.Lack.Goes, m.Lack.Wants
	default:
		p.Case = m.Case.String()
	}
	if !m.Deadline.IsZero() {
		deadline, left := m.Deadline.UTC().Truncate(time.Second), int64(m.Deadline.Sub(now)/time.Second)
		p.Deadline, p.Left = &deadline, &left
	}
	if !m.Cost.IsZero() {
		p.Cost = m.Cost.String()
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("body of a %s message: %w", m.Channel, err)
	}
	return body, nil
}

// text is the sentence for people, for example "Warning: AE01/9123 on aliexpress (not received) has 5h30m left, until 2026-11-24 10:00 UTC,
// and silence costs 12.00 USD (warn point)".
func (m Message) text(now time.Time) string {
	if m.Test {
		return fmt.Sprintf("This is a test of the webhook for %ss: nothing is wrong, and nobody need act", m.kind())
	}
	var b strings.Builder
	b.WriteString("Warning: ")
	if m.Channel == sla.ChannelPage {
		b.Reset()
		b.WriteString("A person must act: ")
	}
	if m.Clock != "" {
		fmt.Fprintf(&b, "the clock of a process is %s that of redis, and it takes no work until that is mended (%s)", m.Clock, words(m.Why))
		return b.String()
	}
	if l := m.Lack; l != nil {
		fmt.Fprintf(&b, "%s is short of time: %d answers are due, %d of them within %s, and %s an hour go out where %s are wanted (%s)",
			m.Case.Platform, l.Due, l.First, span(l.By.Sub(now)), rate(math.Floor, l.Goes), rate(math.Ceil, l.Wants), words(m.Why))
		return b.String()
	}
	fmt.Fprintf(&b, "%s/%s on %s (%s) ", m.Case.Store, inert(m.Case.Native), m.Case.Platform, words(m.Reason))
	at := m.Deadline.UTC().Format("2006-01-02 15:04 UTC")
	switch left := m.Deadline.Sub(now); {
	case m.Deadline.IsZero():
		b.WriteString("has no known deadline")
	case left > 0:
		fmt.Fprintf(&b, "has %s left, until %s", span(left), at)
	default:
		fmt.Fprintf(&b, "is %s past its deadline of %s", span(-left), at)
	}
	if !m.Cost.IsZero() {
		fmt.Fprintf(&b, ", and silence costs %s", m.Cost)
	}
	if m.Why != sla.WhyNone {
		fmt.Fprintf(&b, " (%s)", words(m.Why))
	}
	return b.String()
}

// rate is a number an hour, in whole ones where it is not small; round keeps it from promising too much.
func rate(round func(float64) float64, n float64) string {
	if n >= 10 {
		return strconv.FormatFloat(round(n), 'f', 0, 64)
	}
	return strconv.FormatFloat(round(n*10)/10, 'f', 1, 64)
}

// inert takes the characters out of a platform's id that chat tools would read as markup, a link or a call to everybody; the member "case"
// has the id as it is.
func inert(native string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '-', r == '.':
			return r
		}
		return '?'
	}, native)
}

// words makes a name of a closed list readable.
func words(name fmt.Stringer) string { return strings.ReplaceAll(name.String(), "_", " ") }

// span is a length of time in days, hours and minutes, rounded down: people must not believe to have more time than they have.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
}
