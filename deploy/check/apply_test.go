package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/releaseutil"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// What deploy/README.md has an operator say is said to a real API server, which refuses, admits and completes objects as in any cluster.
func TestARealAPIServerTakesEveryInstallation(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.operators()
	if c.controlled {
		c.machines()
	}
	c.say("apply", "-k", filepath.Join(deploy, "namespace"))
	c.refuses()
	c.secret()
	c.part("shadow", func(c *cluster) { c.installs("overlays/shadow").rolledOut() })
	c.part("from shadow to production", (*cluster).switches)
	c.part("back, and forth again", (*cluster).rollsBack)
	c.part("applied on the server", (*cluster).managed)
	c.part("examples", func(c *cluster) {
		for _, folder := range []string{"examples/redis", "examples/external-secret"} {
			c.installs(folder).empty(folder)
		}
	})
	c.part("KEDA in place of the autoscaler", (*cluster).scalesByKEDA)
	c.part("kind", func(c *cluster) {
		c.empty("examples/keda")
		c.say("-n", ours, "delete", "secret", "watchkeeper-secrets")
		c.installs("overlays/kind").rolledOut()
		c.empty("overlays/kind")
	})
	c.part("chart", (*cluster).installsChart)
}

// part is one of the things that an operator does, each with what the one before has left.
func (c *cluster) part(name string, do func(*cluster)) {
	c.t.Run(name, func(t *testing.T) {
		part := *c
		part.t = t
		do(&part)
	})
}

// operators declares the kinds of operators: as they are when the folder has them, or else as kinds that take anything.
func (c *cluster) operators() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.assets, "crds", "*.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	if len(files) == 0 {
		c.t.Log("the folder has no crds/: kinds of operators take anything here")
		files = []string{c.write("anything.yaml", anyKind("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors")+
			anyKind("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules")+
			anyKind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")+anyKind("external-secrets.io", "v1", "ExternalSecret", "externalsecrets"))}
	}
	for _, file := range files {
		c.say("apply", "--server-side", "-f", file) // some are larger than what client-side apply notes down
	}
	c.say("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
}

func anyKind(group, version, kind, plural string) string {
	return fmt.Sprintf(`---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[4]s.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: %[3]s, plural: %[4]s, singular: %[5]s, listKind: %[3]sList}
  versions: [{name: %[2]s, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`, group, version, kind, plural, strings.ToLower(kind))
}

// refuses shows that the namespace holds pods to the standard; else that ours are taken would show nothing.
func (c *cluster) refuses() {
	c.t.Helper()
	const careless = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"careless"},"spec":{"containers":[{"name":"c","image":"example.com/c:1"}]}}`
	c.eventually("the account of the namespace is there", func() error {
		_, err := c.tryWith(strings.NewReader(careless), "-n", ours, "create", "--dry-run=server", "-f", "-")
		switch {
		case err == nil:
			c.t.Fatal("a careless pod was admitted")
		case strings.Contains(err.Error(), "PodSecurity"):
			return nil
		case !c.controlled && strings.Contains(err.Error(), "serviceaccount"):
			c.say("-n", ours, "create", "serviceaccount", "default") // nobody else makes it
		}
		return err
	})
}

// secret makes what every pod wants, by the words of the page.
func (c *cluster) secret() {
	c.t.Helper()
	folder := c.at("secrets")
	if err := os.Mkdir(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	c.write("secrets/redis-password", "secret")
	c.write("secrets/vault-keys", strings.Repeat("0", 64))
	c.say("-n", ours, "create", "secret", "generic", "watchkeeper-secrets", "--from-file="+folder)
}

// installs applies a folder and asks about its pods.
func (c *cluster) installs(folder string) *cluster {
	c.t.Helper()
	where := filepath.Join(deploy, filepath.FromSlash(folder))
	c.twice("-k", where)
	c.admits(rendered(c.t, folder))
	return c
}

// twice applies what the arguments name: first as a question, then in earnest, and then again, which must change nothing.
func (c *cluster) twice(what ...string) {
	c.t.Helper()
	apply := append([]string{"apply"}, what...)
	c.say(append(apply, "--server-side", "--dry-run=server", "--force-conflicts", "--field-manager=question")...)
	c.say(apply...)
	before := c.there(what...)
	said := c.say(apply...)
	if diff := cmp.Diff(before, c.there(what...)); diff != "" {
		c.t.Errorf("applied again it is another one:\n%s", diff)
	}
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, " unchanged") && !slices.Contains(alwaysConfigured, line) {
			c.t.Errorf("applied again, kubectl has something to send: %s", line)
		}
	}
}

// alwaysConfigured is what kubectl sends again each time, to no effect: the selector of a budget, which it replaces as a whole, and the lists of a
// StatefulSet's claims and of a Secret's keys, to whose members the server adds.
var alwaysConfigured = []string{
	"poddisruptionbudget.policy/watchkeeper configured", "poddisruptionbudget.policy/redis configured", "statefulset.apps/redis configured",
	"externalsecret.external-secrets.io/watchkeeper-secrets configured",
}

// there is what the API server has of what the arguments name, without what it and the controllers note down themselves.
func (c *cluster) there(what ...string) map[string]any {
	c.t.Helper()
	var list struct {
		object `json:"-"`

		Items []object `json:"items"`
	}
	raw := []byte(c.say(append([]string{"get", "-o", "json"}, what...)...))
	if err := errors.Join(json.Unmarshal(raw, &list), json.Unmarshal(raw, &list.object)); err != nil {
		c.t.Fatal(err)
	}
	if list.kind() != "List" { // one object comes by itself
		list.Items = []object{list.object}
	}
	out := map[string]any{}
	for _, o := range list.Items {
		delete(o, "status")
		o["metadata"] = map[string]any{"labels": o.at("metadata", "labels"), "generation": o.at("metadata", "generation")}
		out[fmt.Sprint(o.kind(), " ", len(out))] = o
	}
	return out
}

// admits asks whether a pod of each kind would be let in, with what admission adds to it.
func (c *cluster) admits(s set) {
	c.t.Helper()
	for _, o := range s {
		if o.kind() != "Deployment" && o.kind() != "StatefulSet" {
			continue
		}
		template, ok := o.at("spec", "template").(map[string]any)
		if !ok {
			c.t.Fatalf("%s has no pod", o.id())
		}
		meta, ok := template["metadata"].(map[string]any)
		if !ok {
			c.t.Fatalf("%s has a pod without labels", o.id())
		}
		pod := map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": template["spec"], "metadata": map[string]any{
			"name": "question", "namespace": o.text("metadata", "namespace"), "labels": meta["labels"],
		}}
		raw, err := yaml.Marshal(pod)
		if err != nil {
			c.t.Fatal(err)
		}
		if o.kind() == "StatefulSet" { // its controller adds the volumes of the claims
			raw = []byte(strings.Replace(string(raw), "  volumes:\n", "  volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: data-0}\n", 1))
		}
		if out, err := c.tryWith(strings.NewReader(string(raw)), "create", "--dry-run=server", "-f", "-"); err != nil {
			c.t.Errorf("a pod of %s: %v %s", o.id(), err, out)
		}
	}
}

// rules is the name of the ConfigMap that the pods of the Deployment take their variables from.
func (c *cluster) rules() string {
	c.t.Helper()
	return c.say("-n", ours, "get", "deployment", ours, "-o", "jsonpath={.spec.template.spec.containers[0].envFrom[0].configMapRef.name}")
}

// switches goes from shadow to production by applying the other overlay, and looks that nothing of the first is left but its rules.
func (c *cluster) switches() {
	c.t.Helper()
	before := c.rules()
	c.installs("overlays/production").rolledOut()
	production := rendered(c.t, "overlays/production")
	if now := c.rules(); now == before || production.find("ConfigMap", now) == nil {
		c.t.Errorf("the pods obey %s, as before", now)
	}
	c.say("-n", ours, "get", "configmap", before) // a rollback wants it
	for _, o := range rendered(c.t, "overlays/shadow") {
		if o.kind() != "ConfigMap" && production.find(o.kind(), o.name()) == nil {
			c.t.Errorf("%s of the shadow is left behind", o.id())
		}
	}
}

// rollsBack undoes the rollout by the words of the page, and applies the files again.
func (c *cluster) rollsBack() {
	c.t.Helper()
	if !c.controlled {
		c.t.Skip("the folder has no kube-controller-manager: nobody keeps the revisions")
	}
	before := c.rules()
	// It warns that what kubectl apply noted down is another's now, and so does the page.
	if _, err := c.try("-n", ours, "rollout", "undo", "deployment/"+ours); err != nil && !strings.Contains(err.Error(), "previously managed with 'kubectl apply'") {
		c.t.Fatal(err)
	}
	c.rolledOut()
	shadow := rendered(c.t, "overlays/shadow")
	if now := c.rules(); shadow.find("ConfigMap", now) == nil {
		c.t.Errorf("the pods obey %s after the roll-back", now)
	}
	c.say("apply", "-k", filepath.Join(deploy, "overlays", "production"))
	c.rolledOut()
	if now := c.rules(); now != before {
		c.t.Errorf("the pods obey %s after the files were applied again", now)
	}
}

// managed goes there and back as tools do that apply on the server, from what was applied by the client: nobody is in conflict with anybody.
func (c *cluster) managed() {
	c.t.Helper()
	for _, folder := range []string{"overlays/production", "overlays/shadow", "overlays/production"} {
		where := filepath.Join(deploy, filepath.FromSlash(folder))
		c.say("apply", "-k", where, "--server-side")
		before := c.there("-k", where)
		c.say("apply", "-k", where, "--server-side")
		if diff := cmp.Diff(before, c.there("-k", where)); diff != "" {
			c.t.Errorf("%s: applied on the server again it is another one:\n%s", folder, diff)
		}
	}
	c.rolledOut()
}

// scalesByKEDA changes over to KEDA by the words of the example: whoever applies it takes the autoscaler of before away, which no apply does.
func (c *cluster) scalesByKEDA() {
	c.t.Helper()
	c.installs("examples/keda")
	c.say("-n", ours, "delete", "hpa", ours)
	if left := c.say("-n", ours, "get", "hpa", "-o", "name"); left != "" {
		c.t.Errorf("two autoscalers on one Deployment: %s", left)
	}
}

// empty deletes what a folder has installed, but for the namespace.
func (c *cluster) empty(folder string) {
	c.t.Helper()
	for _, o := range rendered(c.t, folder) {
		if o.kind() == "Namespace" {
			continue
		}
		c.say("-n", ours, "delete", "--ignore-not-found", o.kind()+"."+group(o), o.name())
	}
}

// group is what tells kinds of one name apart.
func group(o object) string {
	name, _, ok := strings.Cut(o.text("apiVersion"), "/")
	if !ok {
		return "v1."
	}
	return name
}

// installsChart applies what Helm would send.
func (c *cluster) installsChart() {
	c.t.Helper()
	c.secretAgain()
	s, err := charted(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	var all strings.Builder
	slices.SortStableFunc(s, func(a, b object) int { // as Helm sends them
		return slices.Index(releaseutil.InstallOrder, a.kind()) - slices.Index(releaseutil.InstallOrder, b.kind())
	})
	for _, o := range s {
		raw, err := yaml.Marshal(o)
		if err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&all, "---\n%s", raw)
	}
	c.twice("-f", c.write("chart.yaml", all.String()))
	c.admits(s)
	c.rolledOut()
}

func (c *cluster) secretAgain() {
	c.t.Helper()
	c.say("-n", ours, "create", "secret", "generic", "watchkeeper-secrets", "--from-file="+c.at("secrets"))
}

// rolledOut waits as the page says, where there is somebody to roll out: the controllers make the pods, and the budget counts them.
func (c *cluster) rolledOut() {
	c.t.Helper()
	if !c.controlled {
		return
	}
	c.say("-n", ours, "rollout", "status", "deployment/"+ours, "--timeout=100s")
	c.eventually("the budget of disruptions counts two pods", func() error {
		out, err := c.try("-n", ours, "get", "poddisruptionbudget", ours, "-o", "jsonpath={.status.currentHealthy} {.status.disruptionsAllowed}")
		if err == nil && out != "2 1" {
			err = errors.New(out)
		}
		return err
	})
	events := c.say("-n", ours, "get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
	if events != "" {
		c.t.Errorf("pods were refused: %s", events)
	}
}

// machines stands in for the kubelets: every pod is ready at once.
func (c *cluster) machines() {
	done, stop := make(chan struct{}), make(chan struct{})
	c.t.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.readyAll()
			case <-stop:
				return
			}
		}
	}()
}

// readyAll makes every pod of ours ready that is not; one that is gone meanwhile is another's matter.
func (c *cluster) readyAll() {
	raw, err := c.try("-n", ours, "get", "pods", "-o", "json")
	if err != nil {
		return // the next look will do
	}
	var pods corev1.PodList
	if json.Unmarshal([]byte(raw), &pods) != nil {
		return
	}
	for _, p := range pods.Items {
		if slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady }) {
			continue
		}
		patch := fmt.Sprintf(`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
		_, _ = c.try("-n", ours, "patch", "pod", p.Name, "--subresource=status", "--type=merge", "-p", patch)
	}
}
