package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/sla/rules"
)

// A Role is a part of the work that a process may leave to others. What keeps a promise in every process is no role: each compares its memory with that
// of Redis, holds its clock against Redis', says that it lives and by which rules.
type Role string

// The roles.
const (
	RolePoll  Role = "poll"  // reads the feeds of the platforms
	RoleWork  Role = "work"  // carries out jobs: reads disputes again, answers, looks at parcels
	RoleSweep Role = "sweep" // looks at the timers and enqueues what is due, arms by new rules, mends the queue
	RoleAdmin Role = "admin" // serves WK_HTTP__ADMIN, and tells in its metrics of all cases, credentials and servers
)

// allRoles is the word for every role.
const allRoles = "all"

// Roles are all there are.
func Roles() []Role { return []Role{RolePoll, RoleWork, RoleSweep, RoleAdmin} }

// roles reads the list of roles.
func (w Workers) roles() ([]Role, error) {
	if w.Roles == "" || strings.EqualFold(strings.TrimSpace(w.Roles), allRoles) {
		return Roles(), nil
	}
	var out []Role
	for word := range strings.SplitSeq(w.Roles, ",") {
		r := Role(strings.ToLower(strings.TrimSpace(word)))
		if !slices.Contains(Roles(), r) {
			return nil, fmt.Errorf("%q is no role; want all or a list of poll, work, sweep, admin%s", word, meant(string(r)))
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out, nil
}

func meant(word string) string {
	names := []string{allRoles}
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	if near := rules.Nearest(word, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// plays tells whether this process has a role.
func (f *Fleet) plays(r Role) bool { return slices.Contains(f.roles, r) }

// tellRoles tells in the metrics which roles this process has.
func (f *Fleet) tellRoles() {
	roles := promauto.With(f.reg).NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_role", Help: "1 for each role that this process has, else 0."}, []string{"role"})
	for _, r := range Roles() {
		has := 0.0
		if f.plays(r) {
			has = 1
		}
		roles.WithLabelValues(string(r)).Set(has)
	}
}
