package check

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// A page is deploy/env.md: which variables there are, and their defaults.
type page struct {
	names    []*regexp.Regexp
	defaults map[string]string
}

var (
	row   = regexp.MustCompile("^\\| `(WK_[^`]+)` \\|[^|]*\\|([^|]*)\\|")
	scope = regexp.MustCompile("^[0-9]+\\. `(WK_[^`]+__)…`")
	hole  = regexp.MustCompile(`<[A-Z]+>`)
)

// readPage reads the page. A variable of rules stands there once, and may be set in each of the scopes that are listed above its table; it
// may have dates.
var readPage = sync.OnceValues(func() (page, error) {
	raw, err := os.ReadFile(filepath.Join(deploy, "env.md"))
	if err != nil {
		return page{}, err
	}
	p := page{defaults: map[string]string{}}
	var scopes []string
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			scopes = nil
		}
		if m := scope.FindStringSubmatch(line); m != nil {
			scopes = append(scopes, m[1])
		}
		m := row.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[1], "…") {
			continue
		}
		p.defaults[m[1]] = strings.Trim(m[2], " `")
		p.add(m[1], false)
		if len(scopes) > 0 {
			widest := scopes[len(scopes)-1]
			for _, s := range scopes {
				p.add(s+strings.TrimPrefix(m[1], widest), true)
			}
		}
	}
	if len(p.names) < 100 {
		return page{}, fmt.Errorf("deploy/env.md has only %d names that can be read", len(p.names))
	}
	return p, nil
})

func (p *page) add(name string, dates bool) {
	parts := hole.Split(name, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	pattern := "^" + strings.Join(parts, "[A-Z0-9]+(?:_[A-Z0-9]+)*")
	if dates {
		pattern += "(?:(?:__SEASON)?__(?:FROM|UNTIL)|__SEASON)?"
	}
	p.names = append(p.names, regexp.MustCompile(pattern+"$"))
}

func (p *page) knows(name string) bool {
	return slices.ContainsFunc(p.names, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

// environment is what the container of watchkeeper gets as variables: those of its ConfigMaps and its own, without what Kubernetes fills in.
func environment(s set) map[string]string {
	out := map[string]string{}
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return out
	}
	c := d.Spec.Template.Spec.Containers[0]
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil {
			continue
		}
		if m, err := as[*corev1.ConfigMap](s, "ConfigMap", from.ConfigMapRef.Name); err == nil {
			maps.Copy(out, m.Data)
		}
	}
	for _, e := range c.Env {
		out[e.Name] = e.Value
	}
	return out
}

func variables(s set) []string {
	known, err := readPage()
	if err != nil {
		return []string{err.Error()}
	}
	env := environment(s)
	if env["WK_SLA__MODE"] == "" {
		return []string{"the mode is not said"}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if strings.HasPrefix(name, "WK_") && !known.knows(name) {
			out = append(out, name+" is not in deploy/env.md")
		}
		if secret := strings.HasSuffix(name, "PASSWORD") || strings.HasSuffix(name, "_SECRET") || strings.HasSuffix(name, "_TOKEN"); secret {
			out = append(out, name+" is a secret: it belongs in a file")
		}
	}
	return out
}

func mounted(s set) []string {
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return []string{err.Error()}
	}
	pod := d.Spec.Template.Spec
	secrets := map[string]string{} // the name of the Secret by where it is mounted
	for _, m := range pod.Containers[0].VolumeMounts {
		for _, v := range pod.Volumes {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			secrets[m.MountPath] = v.Secret.SecretName
		}
	}
	var out []string
	for _, m := range pod.Containers[0].VolumeMounts {
		if m.SubPath != "" || !m.ReadOnly {
			out = append(out, m.MountPath+": a file mounted by subPath never changes, and nothing here is to be written")
		}
	}
	env := environment(s)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasSuffix(name, "_FILE") {
			continue
		}
		secret, ok := secrets[path.Dir(env[name])]
		if !ok {
			out = append(out, fmt.Sprintf("%s names %s, where no secret is mounted", name, env[name]))
			continue
		}
		if o := s.find("Secret", secret); o != nil && o.at("data", path.Base(env[name])) == nil {
			out = append(out, fmt.Sprintf("%s names %s, which the Secret %s does not have", name, env[name], secret))
		}
	}
	return out
}

func ports(s set) []string {
	known, err := readPage()
	if err != nil {
		return []string{err.Error()}
	}
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return []string{err.Error()}
	}
	env, c := environment(s), d.Spec.Template.Spec.Containers[0]
	listen := env["WK_HTTP__LISTEN"]
	if listen == "" {
		listen = known.defaults["WK_HTTP__LISTEN"]
	}
	want, err := number(listen)
	if err != nil {
		return []string{"WK_HTTP__LISTEN: " + err.Error()}
	}
	var out []string
	if len(c.Ports) != 1 || c.Ports[0].ContainerPort != want {
		return append(out, fmt.Sprintf("the program listens on %d, and the container declares %v", want, c.Ports))
	}
	for what, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Port.String() != c.Ports[0].Name {
			out = append(out, "the "+what+" probe asks another port")
		}
	}
	if port, err := monitored(s); err != nil || port != "" && port != c.Ports[0].Name {
		out = append(out, fmt.Sprintf("the PodMonitor asks another port: %s %v", port, err))
	}
	return append(out, walled(s, d, want, env["WK_REDIS__ADDRS"])...)
}

// walled looks at the NetworkPolicy: what goes in and out, and nothing else.
func walled(s set, d *appsv1.Deployment, metrics int32, redis string) []string {
	n, err := as[*networkingv1.NetworkPolicy](s, "NetworkPolicy", ours)
	if err != nil {
		return []string{err.Error()}
	}
	out := misses("the NetworkPolicy", &n.Spec.PodSelector, d)
	if !slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) || !slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
		out = append(out, "the NetworkPolicy is not for both ways")
	}
	in := map[int32]bool{}
	for _, r := range n.Spec.Ingress {
		for _, p := range r.Ports {
			in[p.Port.IntVal] = true
		}
		if len(r.From) == 0 || len(r.Ports) == 0 {
			out = append(out, "everybody may reach the pods")
		}
	}
	if len(in) != 1 || !in[metrics] {
		out = append(out, fmt.Sprintf("%d is to be reached and nothing else: %v", metrics, in))
	}
	away := map[int32]bool{}
	for _, r := range n.Spec.Egress {
		if len(r.Ports) == 0 {
			out = append(out, "the pods may reach every port")
		}
		for _, p := range r.Ports {
			away[p.Port.IntVal] = true
		}
	}
	wanted := map[int32]string{53: "names", 443: "the platforms"}
	for addr := range strings.SplitSeq(redis, ",") {
		port, err := number(addr)
		if err != nil {
			out = append(out, "WK_REDIS__ADDRS: "+err.Error())
		}
		wanted[port] = "Redis"
	}
	for port, what := range wanted {
		if !away[port] {
			out = append(out, fmt.Sprintf("%s cannot be reached: %d", what, port))
		}
	}
	return out
}

// complete looks whether what the pods name is there; what an operator makes is not.
func complete(s set) []string {
	operators := []string{"Secret/watchkeeper-secrets", "Secret/redis-secrets"}
	return eachPod(s, func(id string, pod corev1.PodTemplateSpec) []string {
		var wanted []string
		if name := pod.Spec.ServiceAccountName; name != "" {
			wanted = append(wanted, "ServiceAccount/"+name)
		}
		for _, v := range pod.Spec.Volumes {
			if v.Secret != nil {
				wanted = append(wanted, "Secret/"+v.Secret.SecretName)
			}
			if v.ConfigMap != nil {
				wanted = append(wanted, "ConfigMap/"+v.ConfigMap.Name)
			}
		}
		for _, c := range pod.Spec.Containers {
			for _, from := range c.EnvFrom {
				if from.ConfigMapRef != nil {
					wanted = append(wanted, "ConfigMap/"+from.ConfigMapRef.Name)
				}
			}
			for _, m := range c.VolumeMounts {
				if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
					wanted = append(wanted, "volume/"+m.Name)
				}
			}
		}
		var out []string
		for _, w := range wanted {
			there := slices.ContainsFunc(s, func(o object) bool { return o.id() == w })
			if !there && !slices.Contains(operators, w) {
				out = append(out, id+" names what is not there: "+w)
			}
		}
		return out
	})
}

func TestThePageOfVariablesIsRead(t *testing.T) {
	t.Parallel()
	p, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"WK_REDIS__ADDRS": true, "WK_STORE__AE01__APP_SECRET_FILE": true, "WK_SLA__MODE": true, "WK_SLA__STORE__AE01__MODE": true,
		"WK_SLA__ALIEXPRESS__REASON__NOT_RECEIVED__ACT_BEFORE": true, "WK_SLA__STORE_BUDGET__SEASON__FROM": true,
		"WK_SHIPMENT__LANE__ANY_BR__STALL": true, "WK_CALENDAR__BR__ZONE": true,
		"WK_REDIS__ADDR": false, "WK_SLA__MODES": false, "WK_SLA__STORE__AE01__MOD": false, "WK_STORE__AE01__APP_SECRET_FIL": false,
		"WK_HTTP__LISTEN__FROM": false,
	} {
		if got := p.knows(name); got != want {
			t.Errorf("%s: want known %t, got %t", name, want, got)
		}
	}
	if got := p.defaults["WK_HTTP__LISTEN"]; got != ":9090" {
		t.Errorf("the default of WK_HTTP__LISTEN is read as %q", got)
	}
}
