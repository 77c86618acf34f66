package check

import (
	"slices"
	"strings"
	"testing"
)

// A mistake is one that somebody might make, and what the check says of it.
type mistake struct {
	check, kind, path string
	value             any
	says              string
}

const inPod = "spec.template.spec."

// mistakes are planted in the overlay of production, one at a time. A kind that ends in a dash has a name with a hash, one with a slash another
// name than ours.
var mistakes = []mistake{
	{"every object is of its real type", "Deployment", inPod + "containers.0.imagePulPolicy", "Always", "unknown field"},
	{"every object is of its real type", "PodMonitor", "spec.podMetricsEndpoint", []any{}, "unknown field"},
	{"every object is of its real type", "PrometheusRule", "spec.groups.0.rules.0.severity", "critical", "unknown field"},
	{"every object is of its real type", "NetworkPolicy", "spec.podSelector", "all", "NetworkPolicy"},
	{"pods are restricted", "Deployment", inPod + "securityContext.runAsNonRoot", false, "runAsNonRoot"},
	{"pods are restricted", "Deployment", inPod + "securityContext.seccompProfile", nil, "seccompProfile"},
	{"pods are restricted", "Deployment", inPod + "containers.0.securityContext.capabilities", nil, "capabilities"},
	{"pods are restricted", "Deployment", inPod + "containers.0.securityContext.allowPrivilegeEscalation", true, "allowPrivilegeEscalation"},
	{"pods are restricted", "Deployment", inPod + "hostNetwork", true, "host"},
	{"pods are restricted", "Deployment", inPod + "containers.0.securityContext.readOnlyRootFilesystem", false, "may write"},
	{"pods are restricted", "Deployment", inPod + "automountServiceAccountToken", nil, "token"},
	{"pods have time to stop", "Deployment", inPod + "terminationGracePeriodSeconds", 45, "not more than"},
	{"pods have time to stop", "Deployment", inPod + "terminationGracePeriodSeconds", nil, "no grace"},
	{"pods have time to stop", "ConfigMap-", "data.WK_WORKERS__SHUTDOWN", "45s", "not more than"},
	{"pods have time to stop", "ConfigMap-", "data.WK_WORKERS__SHUTDOWN", nil, "must stand"},
	{
		"pods have time to stop", "Deployment", inPod + "containers.0.lifecycle",
		map[string]any{"preStop": map[string]any{"sleep": map[string]any{"seconds": 15}}}, "preStop 15s",
	},
	{"memory is bounded", "Deployment", inPod + "containers.0.resources.limits", nil, "limit of memory"},
	{"memory is bounded", "Deployment", inPod + "containers.0.resources.limits.memory", "224Mi", "100 %"},
	{"memory is bounded", "Deployment", inPod + "containers.0.env", []any{}, "GOMEMLIMIT"},
	{"memory is bounded", "Deployment", inPod + "containers.0.env.0.valueFrom.resourceFieldRef.resource", "limits.memory", "GOMEMLIMIT"},
	{"images are pinned", "Deployment", inPod + "containers.0.image", "watchkeeper:latest", "tomorrow"},
	{"images are pinned", "Deployment", inPod + "containers.0.image", "example.com:5000/watchkeeper", "no tag"},
	{"secrets are mounted", "ConfigMap-", "data.WK_VAULT__KEY_FILE", "/run/secrets/vault-keys", "no secret is mounted"},
	{"secrets are mounted", "Deployment", inPod + "volumes.0", map[string]any{"name": "secrets", "emptyDir": map[string]any{}}, "no secret is mounted"},
	{"secrets are mounted", "Deployment", inPod + "containers.0.volumeMounts.0.subPath", "redis-password", "subPath"},
	{"ports agree", "ConfigMap-", "data.WK_HTTP__LISTEN", ":8080", "listens on 8080"},
	{"ports agree", "Deployment", inPod + "containers.0.ports.0.containerPort", 9100, "listens on 9090"},
	{"ports agree", "Deployment", inPod + "containers.0.livenessProbe.httpGet.port", "admin", "liveness"},
	{"ports agree", "PodMonitor", "spec.podMetricsEndpoints.0.port", "http", "PodMonitor"},
	{"ports agree", "NetworkPolicy", "spec.ingress.0.ports.0.port", 9091, "to be reached"},
	{"ports agree", "NetworkPolicy", "spec.ingress.0.from", nil, "everybody"},
	{"ports agree", "NetworkPolicy", "spec.egress.0.ports", nil, "every port"},
	{"ports agree", "NetworkPolicy", "spec.policyTypes", []any{"Ingress"}, "both ways"},
	{"ports agree", "ConfigMap-", "data.WK_REDIS__ADDRS", "redis:6380", "Redis cannot be reached"},
	{"variables are known", "ConfigMap-", "data.WK_SLA__STROM", "20/1h", "WK_SLA__STROM"},
	{"variables are known", "ConfigMap-", "data.WK_REDIS__PASSWORD", "hunter2", "a secret"},
	{"variables are known", "ConfigMap-", "data.WK_SLA__MODE", nil, "mode"},
	{"a rollout leaves two at work", "Deployment", "spec.replicas", 1, "fewer than two"},
	{"a rollout leaves two at work", "Deployment", "spec.replicas", 3, "floor"},
	{"a rollout leaves two at work", "Deployment", "spec.strategy.rollingUpdate.maxUnavailable", "25%", "take a pod away"},
	{"a rollout leaves two at work", "Deployment", inPod + "topologySpreadConstraints", nil, "apart"},
	{"a rollout leaves two at work", "Deployment", inPod + "topologySpreadConstraints.0.labelSelector.matchLabels", map[string]any{"app": ours}, "app=watchkeeper"},
	{"a rollout leaves two at work", "PodDisruptionBudget", "spec.minAvailable", 0, "last pod"},
	{"a rollout leaves two at work", "PodDisruptionBudget", "spec.selector.matchLabels", map[string]any{"app": ours}, "app=watchkeeper"},
	{"a rollout leaves two at work", "HorizontalPodAutoscaler", "spec.minReplicas", 1, "floor"},
	{"a rollout leaves two at work", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "redis", "another's"},
	{"what is named is there", "Deployment", inPod + "serviceAccountName", "default", "ServiceAccount/default"},
	{"what is named is there", "Deployment", inPod + "containers.0.envFrom.0.configMapRef.name", "watchkeeper-rules", "ConfigMap/watchkeeper-rules"},
	{"what is named is there", "Deployment", inPod + "volumes.0.secret.secretName", "watchkeeper", "Secret/watchkeeper"},
	{"probes ask the right thing", "Deployment", inPod + "containers.0.livenessProbe.httpGet.path", "/readyz", "asks /readyz"},
	{"probes ask the right thing", "Deployment", inPod + "containers.0.startupProbe.failureThreshold", 3, "less than"},
	{"probes ask the right thing", "Deployment", inPod + "containers.0.readinessProbe", nil, "no readiness"},
	{"probes ask the right thing", "Deployment", inPod + "containers.0.readinessProbe.timeoutSeconds", 1, "does not wait"},
	{"dashboards are found", ofToday, "metadata.labels.grafana_dashboard", nil, "four"},
	{"dashboards are found", ofToday, "metadata.labels.grafana_dashboard", true, "four"},
	{"dashboards are found", ofToday, "data", map[string]any{"engine.json": "{}"}, "today.json"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": "{"}, "unexpected end"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": `{"uid":"watchkeeper-today","tittle":"Today"}`}, "tittle"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": plain("engine", "stat")}, "another uid"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": plain("today", "statt")}, "nobody draws a statt"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": plain("today", "row")}, "nothing is shown"},
	{"dashboards are found", ofToday, "data", map[string]any{"today.json": strings.Repeat(" ", 262144)}, "too large"},
}

const ofToday = "ConfigMap/watchkeeper-dashboard-today"

// plain is a dashboard with one panel.
func plain(name, panel string) string {
	at := `"gridPos":{"h":1,"w":1,"x":0,"y":0}`
	if panel == "row" {
		at += `,"id":1,"collapsed":false,"panels":[]`
	}
	return `{"uid":"watchkeeper-` + name + `","schemaVersion":39,"templating":{},"annotations":{},"panels":[{"type":"` + panel + `",` + at + `}]}`
}

func TestPlantedMistakesAreFound(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, m := range mistakes {
		tried[m.check] = true
		t.Run(m.check+"/"+m.kind+"/"+m.path, func(t *testing.T) {
			t.Parallel()
			s, name := rendered(t, "overlays/production").clone(t), ours
			kind, hashed := strings.CutSuffix(m.kind, "-")
			if hashed {
				name = "watchkeeper-rules-"
			}
			if of, other, is := strings.Cut(m.kind, "/"); is {
				kind, name = of, other
			}
			s.put(t, kind, name, m.path, m.value)
			got := checks[m.check](s)
			if !slices.ContainsFunc(got, func(problem string) bool { return strings.Contains(problem, m.says) }) {
				t.Errorf("want something about %q, got %q", m.says, got)
			}
		})
	}
	for what := range checks {
		if !tried[what] {
			t.Errorf("no mistake is planted for %q", what)
		}
	}
}

func TestMissingObjectsAreFound(t *testing.T) {
	t.Parallel()
	for kind, what := range map[string]string{
		"Deployment": "pods have time to stop", "PodDisruptionBudget": "a rollout leaves two at work", "NetworkPolicy": "ports agree",
		"ServiceAccount": "what is named is there", "ConfigMap": "what is named is there",
	} {
		if got := checks[what](rendered(t, "overlays/production").clone(t).drop(kind)); len(got) == 0 {
			t.Errorf("without its %s everything is well with %q", kind, what)
		}
	}
}
