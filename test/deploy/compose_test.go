package deploy

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose reads compose.yaml as Docker Compose does, with its schema held, and with what is run only when asked for.
func compose(t testing.TB, variables map[string]string) *types.Project {
	t.Helper()
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  deployed(""),
		ConfigFiles: []types.ConfigFile{{Filename: deployed("compose.yaml")}},
		Environment: variables,
	}, loader.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatalf("reading compose.yaml: %v", err)
	}
	return project
}

// environment is what Compose gives a service, with values replaced.
func environment(t testing.TB, service string, replaced map[string]string) []string {
	t.Helper()
	var all []string
	for name, value := range compose(t, nil).Services[service].Environment {
		if other, ok := replaced[name]; ok {
			value = &other
		}
		if value == nil {
			t.Fatalf("%s of %s has no value", name, service)
		}
		all = append(all, name+"="+*value)
	}
	return all
}

func TestComposeServices(t *testing.T) {
	t.Parallel()
	services := compose(t, nil).Services
	if names := strings.Join(slices.Sorted(maps.Keys(services)), " "); names != "api files ingester nats observer postgres setup status" {
		t.Fatalf("the services are %s", names)
	}
	for service, wanted := range map[string]map[string]string{
		"observer": {"nats": types.ServiceConditionHealthy},
		"setup":    {"nats": types.ServiceConditionHealthy, "postgres": types.ServiceConditionHealthy},
		"api":      {"setup": types.ServiceConditionCompletedSuccessfully},
		"status":   {"setup": types.ServiceConditionCompletedSuccessfully},
		"ingester": {"setup": types.ServiceConditionCompletedSuccessfully, "files": types.ServiceConditionHealthy},
	} {
		for dependency, condition := range wanted {
			if found := services[service].DependsOn[dependency]; found.Condition != condition || !found.Required {
				t.Errorf("%s waits for %s to be %q, want %q", service, dependency, found.Condition, condition)
			}
		}
	}
	published := map[string]string{}
	for name, service := range services {
		if asked := len(service.Profiles) > 0; asked != (name == "observer") {
			t.Errorf("%s runs only when asked for: %t", name, asked)
		}
		for _, port := range service.Ports {
			published[name] += port.HostIP + ":" + port.Published
		}
		if service.HealthCheck == nil && name != "setup" && name != "ingester" && name != "observer" {
			t.Errorf("%s has no health check", name)
		}
		if service.Restart == "" && name != "observer" {
			t.Errorf("%s has no restart policy", name)
		}
	}
	if !maps.Equal(published, map[string]string{"api": "127.0.0.1:3000", "files": "127.0.0.1:8000"}) {
		t.Errorf("published are %v", published)
	}
}

// TestIngesterScales holds that any number of ingesters can run: with nothing that only one can have.
func TestIngesterScales(t *testing.T) {
	t.Parallel()
	ingester := compose(t, nil).Services["ingester"]
	if ingester.ContainerName != "" || ingester.Hostname != "" || len(ingester.Ports) > 0 || len(ingester.Volumes) > 0 {
		t.Errorf("it has something of its own: %+v", ingester)
	}
	if name, ok := ingester.Environment["SLUICE_WORKER"]; ok {
		t.Errorf("all are called %v", name)
	}
	if at := ingester.Environment["SLUICE_OPS_ADDR"]; at == nil || !strings.HasSuffix(*at, ":0") {
		t.Errorf("they all want the port of %v", at)
	}
	if ingester.NetworkMode != "service:files" {
		t.Errorf("localhost is not the file server but %q", ingester.NetworkMode)
	}
	if ingester.StopGracePeriod == nil {
		t.Error("it has no time of its own to hand its jobs over")
	}
}

// TestComposeFiles holds that what is mounted and built is there.
func TestComposeFiles(t *testing.T) {
	t.Parallel()
	for name, service := range compose(t, nil).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil || !volume.ReadOnly {
				t.Errorf("%s mounts %s, read-only %t: %v", name, volume.Source, volume.ReadOnly, err)
			}
		}
		if service.Build == nil {
			continue
		}
		argument := service.Build.Args["SERVICE"]
		wanted := map[string]string{"setup": "sluice"}[name]
		if wanted == "" {
			wanted = name
		}
		if argument == nil || *argument != wanted || service.Build.Context != root || service.Build.Dockerfile != "deploy/Dockerfile" {
			t.Errorf("%s is built by %+v", name, service.Build)
		}
	}
}

// TestExampleOfSettings holds that .env.example has every variable of compose.yaml, with the value that it has without.
func TestExampleOfSettings(t *testing.T) {
	t.Parallel()
	example, err := dotenv.Read(deployed(".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(deployed("compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]string{}
	for name, value := range example {
		if !strings.Contains(string(source), "${"+name+":-"+value+"}") {
			t.Errorf("%s=%s is not what compose.yaml has", name, value)
		}
		changed[name] = "changed-" + name
	}
	project, err := compose(t, changed).MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range example {
		if !strings.Contains(string(project), changed[name]) {
			t.Errorf("%s changes nothing", name)
		}
		if isNumber := len(value) == 1; !isNumber && value != "" && strings.Contains(string(project), value) {
			t.Errorf("%s is %s wherever it is set", name, value)
		}
	}
	if left := strings.Count(string(source), "${"); left != strings.Count(string(project), "changed") {
		t.Errorf("%d of %d variables are in .env.example", strings.Count(string(project), "changed"), left)
	}
}
