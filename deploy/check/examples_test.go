package check

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

func TestExamplesAreWhatAClusterTakes(t *testing.T) {
	t.Parallel()
	for _, folder := range examples {
		s := rendered(t, folder)
		problems := typed(s)
		if folder == "examples/redis" {
			problems = slices.Concat(problems, restricted(s), pinned(s), complete(s))
		}
		for _, o := range s {
			if o.text("metadata", "namespace") != ours {
				problems = append(problems, o.id()+" is in no namespace")
			}
		}
		for _, problem := range problems {
			t.Errorf("%s: %s", folder, problem)
		}
	}
}

// KEDA asks Prometheus for what the autoscaler of the base asks an adapter, with the same bounds.
func TestKEDAScalesByWhatTheAutoscalerDoes(t *testing.T) {
	t.Parallel()
	h, err := as[*autoscalingv2.HorizontalPodAutoscaler](rendered(t, "overlays/production"), "HorizontalPodAutoscaler", ours)
	if err != nil {
		t.Fatal(err)
	}
	keda := rendered(t, "examples/keda").find("ScaledObject", ours)
	triggers, _ := keda.at("spec", "triggers").([]any)
	if len(triggers) != len(h.Spec.Metrics) || len(triggers) < 2 {
		t.Fatalf("%d triggers, %d metrics", len(triggers), len(h.Spec.Metrics))
	}
	for i, m := range h.Spec.Metrics {
		at := func(name string) string { return keda.text("spec", "triggers", strconv.Itoa(i), "metadata", name) }
		kind := cmp.Or(keda.text("spec", "triggers", strconv.Itoa(i), "metricType"), string(autoscalingv2.AverageValueMetricType)) // KEDA's own default
		want := m.External.Target.Value
		if m.External.Target.Type == autoscalingv2.AverageValueMetricType {
			want = m.External.Target.AverageValue
		}
		if !strings.Contains(at("query"), m.External.Metric.Name) || kind != string(m.External.Target.Type) || at("threshold") != want.String() {
			t.Errorf("%s of %s at %s: KEDA asks %s for %s at %s", m.External.Metric.Name, m.External.Target.Type, want, at("query"), kind, at("threshold"))
		}
	}
	if keda.at("spec", "minReplicaCount") != int64(*h.Spec.MinReplicas) && keda.at("spec", "minReplicaCount") != float64(*h.Spec.MinReplicas) {
		t.Errorf("want the floor of %d, got %v", *h.Spec.MinReplicas, keda.at("spec", "minReplicaCount"))
	}
}

// Each file that a variable names, also behind a #, is a key that the ExternalSecret makes.
func TestTheExternalSecretHasEveryFile(t *testing.T) {
	t.Parallel()
	secret := rendered(t, "examples/external-secret").find("ExternalSecret", "watchkeeper-secrets")
	if secret == nil {
		t.Fatal("there is no ExternalSecret")
	}
	if got := secret.text("spec", "target", "name"); got != "watchkeeper-secrets" {
		t.Errorf("the Secret is called %q", got)
	}
	made := map[string]bool{}
	entries, _ := secret.at("spec", "data").([]any)
	for _, e := range entries {
		if entry, ok := e.(map[string]any); ok {
			made[object(entry).text("secretKey")] = true
		}
	}
	env := readEnv(t, envFiles["shadow"], true)
	for name, value := range env {
		if strings.HasSuffix(name, "_FILE") && !made[path.Base(value)] {
			t.Errorf("%s names %s, which the ExternalSecret does not make", name, value)
		}
	}
}

// A Redis that may forget is refused by the program; this one must not be.
func TestTheRedisOfTheExamplesForgetsNothing(t *testing.T) {
	t.Parallel()
	scripts, err := as[*corev1.ConfigMap](rendered(t, "examples/redis"), "ConfigMap", "redis-start-")
	if err != nil {
		t.Fatal(err)
	}
	tryingOut, err := as[*appsv1.Deployment](rendered(t, "overlays/kind"), "Deployment", "redis")
	if err != nil {
		t.Fatal(err)
	}
	compose, err := os.ReadFile(filepath.Join(deploy, "compose", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{
		"examples/redis": scripts.Data["redis.sh"],
		"overlays/kind":  strings.Join(tryingOut.Spec.Template.Spec.Containers[0].Command, " "),
		"compose":        string(compose),
	} {
		for _, want := range []string{"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: Redis is not told %q", where, want)
			}
		}
	}
	if !strings.Contains(scripts.Data["redis.sh"], "min-replicas-to-write 1") {
		t.Error("examples/redis: a master that is alone takes writes")
	}
}

// The scripts give passwords to users by the beginning of their lines, in the file that the program's tests run with.
func TestTheUsersThatTheScriptsNameAreThere(t *testing.T) {
	t.Parallel()
	users, err := as[*corev1.ConfigMap](rendered(t, "examples/redis"), "ConfigMap", "redis-users-")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"watchkeeper", "wkctl"} {
		if !strings.Contains("\n"+users.Data["users.acl"], "\nuser "+user+" on ") {
			t.Errorf("no line of deploy/redis/users.acl begins with the user %s", user)
		}
	}
}
