package check

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// A check looks at one installation and tells what is wrong with it.
type check func(set) []string

// checks are what must hold of every installation.
var checks = map[string]check{
	"every object is of its real type": typed,
	"pods are restricted":              restricted,
	"pods have time to stop":           graceful,
	"memory is bounded":                bounded,
	"images are pinned":                pinned,
	"secrets are mounted":              mounted,
	"ports agree":                      ports,
	"variables are known":              variables,
	"a rollout leaves two at work":     available,
	"what is named is there":           complete,
	"probes ask the right thing":       probes,
	"dashboards are found":             dashboards,
}

func TestEveryInstallationHoldsEveryCheck(t *testing.T) {
	t.Parallel()
	for name, s := range installations(t) {
		for what, c := range checks {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				for _, problem := range c(s) {
					t.Error(problem)
				}
			})
		}
	}
}

// foreign are the kinds of operators whose types would drag their programs in here.
var foreign = []string{"ScaledObject", "ExternalSecret"}

func typed(s set) []string {
	var out []string
	for _, o := range s {
		if slices.Contains(foreign, o.kind()) {
			continue
		}
		if _, err := decode(o); err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}

// pods are the templates of all pods, by the id of what makes them.
func pods(s set) (map[string]corev1.PodTemplateSpec, error) {
	out := map[string]corev1.PodTemplateSpec{}
	for _, o := range s {
		if slices.Contains(foreign, o.kind()) {
			continue
		}
		decoded, err := decode(o)
		if err != nil {
			return nil, err
		}
		switch w := decoded.(type) {
		case *appsv1.Deployment:
			out[o.id()] = w.Spec.Template
		case *appsv1.StatefulSet:
			pod := w.Spec.Template
			for _, claim := range w.Spec.VolumeClaimTemplates { // each pod has a volume of that name
				from := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}
				pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: from})
			}
			out[o.id()] = pod
		case *appsv1.DaemonSet, *corev1.Pod:
			return nil, fmt.Errorf("%s: no such thing is expected here", o.id())
		}
	}
	return out, nil
}

// eachPod asks the same of every pod.
func eachPod(s set, ask func(id string, pod corev1.PodTemplateSpec) []string) []string {
	all, err := pods(s)
	if err != nil {
		return []string{err.Error()}
	}
	if len(all) == 0 {
		return []string{"there is no pod"}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, ask(id, all[id])...)
	}
	return out
}

func restricted(s set) []string {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	strictest := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	return eachPod(s, func(id string, pod corev1.PodTemplateSpec) []string {
		var out []string
		if got := policy.AggregateCheckResults(evaluator.EvaluatePod(strictest, &pod.ObjectMeta, &pod.Spec)); !got.Allowed {
			out = append(out, fmt.Sprintf("%s: %s: %s", id, got.ForbiddenReason(), got.ForbiddenDetail()))
		}
		// What the standard leaves open.
		if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
			out = append(out, id+": a token of the API is mounted")
		}
		for _, c := range pod.Spec.Containers {
			if root := c.SecurityContext.ReadOnlyRootFilesystem; root == nil || !*root {
				out = append(out, fmt.Sprintf("%s: %s may write to its image", id, c.Name))
			}
		}
		return out
	})
}

// afterJobs is what a process needs at most after its jobs have come to their ends (README, "Operate").
const afterJobs = 15 * time.Second

func graceful(s set) []string {
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return []string{err.Error()}
	}
	shutdown, err := time.ParseDuration(environment(s)["WK_WORKERS__SHUTDOWN"])
	if err != nil {
		return []string{"WK_WORKERS__SHUTDOWN must stand beside the grace period: " + err.Error()}
	}
	pod := d.Spec.Template.Spec
	var preStop time.Duration
	if hooks := pod.Containers[0].Lifecycle; hooks != nil && hooks.PreStop != nil {
		if hooks.PreStop.Sleep == nil {
			return []string{"how long preStop takes is not known"}
		}
		preStop = time.Duration(hooks.PreStop.Sleep.Seconds) * time.Second
	}
	if pod.TerminationGracePeriodSeconds == nil {
		return []string{"no grace period"}
	}
	grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second
	if need := preStop + shutdown + afterJobs; grace <= need {
		return []string{fmt.Sprintf("the grace period %s is not more than preStop %s + shutdown %s + %s", grace, preStop, shutdown, afterJobs)}
	}
	return nil
}

func bounded(s set) []string {
	out := eachPod(s, func(id string, pod corev1.PodTemplateSpec) []string {
		var out []string
		for _, c := range pod.Spec.Containers {
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				out = append(out, fmt.Sprintf("%s: %s: requests of both and a limit of memory are wanted", id, c.Name))
			}
		}
		return out
	})
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return append(out, err.Error())
	}
	c := d.Spec.Template.Spec.Containers[0]
	if share := c.Resources.Requests.Memory().AsApproximateFloat64() / c.Resources.Limits.Memory().AsApproximateFloat64(); share < 0.8 || share > 0.95 {
		out = append(out, fmt.Sprintf("the request of memory, which GOMEMLIMIT is, is %.0f %% of the limit and not 80 to 95 %%", 100*share))
	}
	i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
	if i < 0 || c.Env[i].ValueFrom == nil || c.Env[i].ValueFrom.ResourceFieldRef == nil {
		return append(out, "GOMEMLIMIT does not follow the resources")
	}
	if ref := c.Env[i].ValueFrom.ResourceFieldRef; ref.Resource != "requests.memory" || ref.Divisor.Value() != 1 || ref.ContainerName != c.Name {
		out = append(out, "GOMEMLIMIT is not the request of memory in bytes")
	}
	return out
}

func pinned(s set) []string {
	return eachPod(s, func(id string, pod corev1.PodTemplateSpec) []string {
		var out []string
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			if problem := unpinned(c.Image); problem != "" {
				out = append(out, id+": "+problem)
			}
		}
		return out
	})
}

// unpinned says what is wrong with the name of an image, or nothing.
func unpinned(image string) string {
	if _, digest, ok := strings.Cut(image, "@"); ok && strings.HasPrefix(digest, "sha256:") {
		return ""
	}
	_, tag, ok := strings.Cut(path.Base(image), ":")
	if !ok || tag == "" {
		return image + " has no tag"
	}
	if tag == "latest" {
		return image + " may be another one tomorrow"
	}
	return ""
}

func available(s set) []string {
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	if d.Spec.Replicas == nil || *d.Spec.Replicas < 2 {
		out = append(out, "fewer than two pods")
	}
	if r := d.Spec.Strategy.RollingUpdate; r == nil || r.MaxUnavailable == nil || r.MaxUnavailable.String() != "0" {
		out = append(out, "a rollout may take a pod away before there is another one")
	}
	if len(d.Spec.Template.Spec.TopologySpreadConstraints) == 0 {
		out = append(out, "nothing keeps the pods apart")
	}
	for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
		out = append(out, misses("the spread over "+c.TopologyKey, c.LabelSelector, d)...)
	}
	budget, err := as[*policyv1.PodDisruptionBudget](s, "PodDisruptionBudget", ours)
	if err != nil {
		return append(out, err.Error())
	}
	if budget.Spec.MinAvailable == nil || budget.Spec.MinAvailable.String() != "1" {
		out = append(out, "a drain may take the last pod")
	}
	out = append(out, misses("the budget of disruptions", budget.Spec.Selector, d)...)
	return append(out, scaled(s, d)...)
}

// scaled looks at the autoscaler, where there is one.
func scaled(s set, d *appsv1.Deployment) []string {
	var out []string
	if s.find("HorizontalPodAutoscaler", ours) != nil {
		h, err := as[*autoscalingv2.HorizontalPodAutoscaler](s, "HorizontalPodAutoscaler", ours)
		switch {
		case err != nil:
			out = append(out, err.Error())
		case h.Spec.MinReplicas == nil || d.Spec.Replicas == nil || *h.Spec.MinReplicas != *d.Spec.Replicas:
			out = append(out, "the autoscaler's floor is not the number of pods")
		case h.Spec.ScaleTargetRef.Name != d.Name || h.Spec.ScaleTargetRef.Kind != "Deployment":
			out = append(out, "the autoscaler is another's")
		}
	}
	if o := s.find("ScaledObject", ours); o != nil {
		if floor, ok := o.at("spec", "minReplicaCount").(float64); !ok || floor < 2 {
			out = append(out, "KEDA's floor is below two")
		}
		if s.find("HorizontalPodAutoscaler", ours) != nil {
			out = append(out, "two autoscalers on one Deployment")
		}
	}
	return out
}

// misses says that a selector does not choose the pods of a Deployment.
func misses(what string, selector *metav1.LabelSelector, d *appsv1.Deployment) []string {
	if selector == nil || len(selector.MatchLabels) == 0 {
		return []string{what + " chooses nothing or everything"}
	}
	for key, value := range selector.MatchLabels {
		if d.Spec.Template.Labels[key] != value {
			return []string{fmt.Sprintf("%s does not choose the pods: %s=%s", what, key, value)}
		}
	}
	return nil
}

func probes(s set) []string {
	d, err := as[*appsv1.Deployment](s, "Deployment", ours)
	if err != nil {
		return []string{err.Error()}
	}
	c := d.Spec.Template.Spec.Containers[0]
	var out []string
	for _, p := range []struct {
		what, path string
		probe      *corev1.Probe
		least      time.Duration
	}{
		{"startup", "/readyz", c.StartupProbe, 5 * time.Minute},
		{"readiness", "/readyz", c.ReadinessProbe, 0},
		{"liveness", "/livez", c.LivenessProbe, 0}, // readyz asks Redis, and a restart mends no Redis
	} {
		switch {
		case p.probe == nil || p.probe.HTTPGet == nil:
			out = append(out, "no "+p.what+" probe")
		case p.probe.HTTPGet.Path != p.path:
			out = append(out, fmt.Sprintf("the %s probe asks %s and not %s", p.what, p.probe.HTTPGet.Path, p.path))
		case p.probe.TimeoutSeconds < 3: // readyz itself takes up to two
			out = append(out, "the "+p.what+" probe does not wait for the answer")
		case time.Duration(p.probe.PeriodSeconds*p.probe.FailureThreshold)*time.Second < p.least:
			out = append(out, fmt.Sprintf("the %s probe gives less than %s", p.what, p.least))
		}
	}
	return out
}

// monitored is the port that the PodMonitor names, if there is one.
func monitored(s set) (string, error) {
	if s.find("PodMonitor", ours) == nil {
		return "", nil
	}
	m, err := as[*monitoringv1.PodMonitor](s, "PodMonitor", ours)
	if err != nil {
		return "", err
	}
	if len(m.Spec.PodMetricsEndpoints) != 1 || m.Spec.PodMetricsEndpoints[0].Port == nil {
		return "", errors.New("the PodMonitor names no port")
	}
	return *m.Spec.PodMetricsEndpoints[0].Port, nil
}

// number is the port of an address such as ":9090".
func number(addr string) (int32, error) {
	_, port, ok := strings.Cut(addr, ":")
	if !ok {
		return 0, fmt.Errorf("%q has no port", addr)
	}
	n, err := strconv.ParseInt(port, 10, 32)
	return int32(n), err
}
