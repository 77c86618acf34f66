package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// parsePoints reads "72h:chat,24h,80%:page" and keeps the order.
func parsePoints(text string) ([]sla.WarnPoint, error) {
	var out []sla.WarnPoint
	for item := range strings.SplitSeq(text, ",") {
		p, err := parsePoint(strings.TrimSpace(item))
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(out, p):
			return nil, errTwice
		case len(out) == maxWarnPoints:
			return nil, errPoints
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePoint(text string) (p sla.WarnPoint, err error) {
	when, channel, named := strings.Cut(text, ":")
	p.Channel = sla.ChannelChat
	if named {
		if p.Channel, err = sla.ParseChannel(channel); err != nil {
			return p, errChannel
		}
	}
	if !strings.Contains(when, "%") {
		p.Before, err = ParseDuration(when)
		return p, err
	}
	if p.Share, err = parseShare(when); err == nil && p.Share == 0 {
		err = errShare // nothing of the window is no point, and no share counts as none
	}
	return p, err
}

func formatPoints(points []sla.WarnPoint) string {
	out := make([]string, 0, len(points))
	for _, p := range points {
		item := FormatDuration(p.Before)
		if p.Share > 0 {
			item = formatShare(p.Share)
		}
		if p.Channel != sla.ChannelChat {
			item += ":" + p.Channel.String()
		}
		out = append(out, item)
	}
	return strings.Join(out, ",")
}

// The words of a step.
const (
	wordRefuse   = "refuse"
	wordPartial  = "partial"
	wordAccept   = "accept"
	wordPlaybook = "playbook"
)

// parseSteps reads "refuse?signed@0h,partial:30%@96h,accept:25USD@110h"; no steps are "playbook".
func parseSteps(text string) ([]sla.Step, error) {
	if strings.TrimSpace(text) == wordPlaybook {
		return nil, nil
	}
	var out []sla.Step
	for item := range strings.SplitSeq(text, ",") {
		s, err := parseStep(strings.TrimSpace(item))
		switch {
		case err != nil:
			return nil, err
		case len(out) == maxSteps:
			return nil, errSteps
		case len(out) > 0 && s.After < out[len(out)-1].After:
			return nil, errFalls
		case slices.ContainsFunc(out, func(before sla.Step) bool { return givesLess(s, before) }):
			return nil, errLess
		}
		out = append(out, s)
	}
	return out, nil
}

// givesLess reports whether a step takes the place of an earlier one and gives less: whoever waits must not lose by it. An earlier step up
// to a limit leaves the rest to later ones, and what the playbook gives nobody knows beforehand.
func givesLess(later, earlier sla.Step) bool {
	if later.If != earlier.If || later.After <= earlier.After || !earlier.Limit.IsZero() {
		return false
	}
	gives, known := shareOf(later)
	gave, compared := shareOf(earlier)
	return known && compared && gives < gave
}

// shareOf is what a step gives of a claim that it fits.
func shareOf(s sla.Step) (share int, known bool) {
	switch s.Kind {
	case sla.AnswerRefuse:
		return 0, true
	case sla.AnswerOffer:
		return s.Share, true
	case sla.AnswerAccept:
		return wholeShare, true
	}
	return 0, false
}

func parseStep(text string) (s sla.Step, err error) {
	text, after, timed := strings.Cut(text, "@")
	if !timed {
		return s, errTimeless
	}
	if s.After, err = ParseDuration(after); err != nil {
		return s, err
	}
	text, evidence, conditional := strings.Cut(text, "?")
	if conditional {
		if s.If, err = sla.ParseEvidence(evidence); err != nil {
			return s, errEvidence
		}
	}
	word, amount, detailed := strings.Cut(text, ":")
	switch {
	case word == wordPartial && detailed:
		s.Kind = sla.AnswerOffer
		s.Share, err = parseShare(amount)
	case word == wordAccept:
		s.Kind = sla.AnswerAccept
		if detailed {
			s.Limit, err = parseMoney(amount)
		}
	case word == wordRefuse && !detailed:
		s.Kind = sla.AnswerRefuse
	case word == wordPlaybook && !detailed:
	default:
		err = errStep
	}
	return s, err
}

func formatSteps(all []sla.Step) string {
	if len(all) == 0 {
		return wordPlaybook
	}
	out := make([]string, 0, len(all))
	for _, s := range all {
		var item string
		switch s.Kind {
		case sla.AnswerOffer:
			item = wordPartial + ":" + formatShare(s.Share)
		case sla.AnswerAccept:
			item = wordAccept
			if !s.Limit.IsZero() {
				item += ":" + formatMoney(s.Limit)
			}
		case sla.AnswerRefuse:
			item = wordRefuse
		default:
			item = wordPlaybook
		}
		if s.If != sla.EvidenceAny {
			item += "?" + s.If.String()
		}
		out = append(out, item+"@"+FormatDuration(s.After))
	}
	return strings.Join(out, ",")
}

// parseRate reads "20/1h".
func parseRate(text string) (r sla.Rate, err error) {
	number, per, ok := strings.Cut(strings.TrimSpace(text), "/")
	if !ok {
		return r, errRate
	}
	if r.Count, err = parseCount(number); err != nil {
		return r, err
	}
	r.Per, err = ParseDuration(per)
	return r, err
}

func formatRate(r sla.Rate) string { return strconv.Itoa(r.Count) + "/" + FormatDuration(r.Per) }

func parseCount(text string) (int, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.Atoi(text)
	if err != nil || strings.Trim(text, "0123456789") != "" {
		return 0, errCount
	}
	return n, nil
}

// parseDate reads a day, which is its first instant in UTC, or an instant of RFC 3339.
func parseDate(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	at = at.UTC()
	switch {
	case err != nil:
		return time.Time{}, errDate
	case at.Year() < 2000 || at.Year() > 2200:
		return time.Time{}, errYear
	}
	return at, nil
}

// formatDate writes what parseDate reads, as short as it can.
func formatDate(at time.Time) string {
	if isDay(at) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339Nano)
}

func isDay(at time.Time) bool { return at.Equal(at.Truncate(day)) }
