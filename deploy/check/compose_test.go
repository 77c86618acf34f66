package check

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed loads the file as docker compose does, with its schema.
func composed(t *testing.T) *types.Project {
	t.Helper()
	folder := filepath.Join(deploy, "compose")
	details, err := loader.LoadConfigFiles(t.Context(), []string{filepath.Join(folder, "compose.yaml")}, folder)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), *details)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestTheServicesOfTheHostAreConfined(t *testing.T) {
	t.Parallel()
	project := composed(t)
	for _, name := range []string{ours, "redis", "prometheus", "alertmanager", "grafana"} {
		s, ok := project.Services[name]
		if !ok {
			t.Errorf("there is no service %s", name)
			continue
		}
		if !s.ReadOnly || s.Privileged || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.MemLimit == 0 {
			t.Errorf("%s is not confined", name)
		}
		if problem := unpinned(s.Image); problem != "" {
			t.Error(problem)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to the network", name, p.Published)
			}
		}
		if s.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("%s stays down", name)
		}
	}
	if n := project.Services["redis"].Networks; len(n) != 1 || !project.Networks["inside"].Internal {
		t.Error("redis is to be seen from elsewhere")
	}
}

func TestTheDaemonOfTheHostHasWhatItNeeds(t *testing.T) {
	t.Parallel()
	s := composed(t).Services[ours]
	env := map[string]string{}
	for name, value := range s.Environment {
		if value != nil {
			env[name] = *value
		}
	}
	shutdown, err := time.ParseDuration(env["WK_WORKERS__SHUTDOWN"])
	if err != nil {
		t.Fatalf("WK_WORKERS__SHUTDOWN: %v", err)
	}
	if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= shutdown+afterJobs {
		t.Errorf("the grace period %v is not more than %s + %s", s.StopGracePeriod, shutdown, afterJobs)
	}
	if limit, share := env["GOMEMLIMIT"], float64(s.MemLimit)*0.875; limit != "234881024" || share != 234881024 {
		t.Errorf("GOMEMLIMIT is %s, and seven eighths of the limit are %.0f", limit, share)
	}
	if s.Deploy == nil || s.Deploy.Replicas == nil || *s.Deploy.Replicas < 2 {
		t.Error("fewer than two processes")
	}
	if s.User != "65532:65532" {
		t.Errorf("runs as %q", s.User)
	}
	for name, value := range env {
		if !strings.HasSuffix(name, "_FILE") {
			continue
		}
		there := slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool {
			return value == "/run/secrets/"+path.Base(c.Target) || value == c.Target
		})
		if !there {
			t.Errorf("%s names %s, which is no secret of the service", name, value)
		}
	}
	if _, healthy := s.DependsOn["redis"]; !healthy {
		t.Error("starts before Redis")
	}
}
