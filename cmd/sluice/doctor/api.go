package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/pkg/client"
)

// longWait is how long a job may wait before that is worth a word.
const longWait = 10 * time.Minute

// checkAPI asks the API, and by it everything that it can ask.
func checkAPI(ctx context.Context, p Patient) []Check {
	const advice = "start it (sluice up), or name another one with --url"
	health, err := p.API.Health(ctx)
	if err != nil {
		return append([]Check{failed("API", err, advice)}, skipped("the API does not answer", append([]string{"ready"}, asked()...)...)...)
	}
	server := "devel"
	if v := health.Value.Version; v != nil {
		server = *v
	}
	checks := []Check{versionCheck(p, server)}
	readiness, err := p.API.Readiness(ctx)
	if err != nil {
		return append(append(checks, failed("ready", err, advice)), skipped("the API does not answer", asked()...)...)
	}
	checks = append(checks, readyChecks(readiness.Value)...)
	queue, err := p.API.Queue(ctx)
	if advice := aboutKey(err); advice != "" {
		return append(append(checks, failed("API key", err, advice)), skipped("the API wants a key for it", asked()...)...)
	}
	return append(checks, queueCheck(queue.Value, err), waitingCheck(ctx, p.API), workersCheck(ctx, p.API, server))
}

// asked are the checks of what the API tells only who may know it.
func asked() []string { return []string{"queue", "waiting jobs", "ingesters"} }

// aboutKey is what to do where the API refuses the key; empty: it does not.
func aboutKey(err error) string {
	p, ok := errors.AsType[*client.Problem](err)
	switch {
	case !ok:
		return ""
	case p.Status == http.StatusUnauthorized:
		return "put a key of this API into SLUICE_API_KEY; sluice admin keys create makes one"
	case p.Status == http.StatusForbidden:
		return "put a key with the scope read into SLUICE_API_KEY; sluice admin keys create makes one"
	}
	return ""
}

func versionCheck(p Patient, server string) Check {
	c := well("API", "%s answers, version %s", p.API.URL(), server)
	if server != p.Version {
		return c.warned("this command is of version " + p.Version + "; use the one that came with the API")
	}
	return c
}

// readyChecks has a check for each part that the API needs.
func readyChecks(h client.Health) []Check {
	if h.Checks == nil {
		return nil
	}
	var checks []Check
	for _, part := range slices.Sorted(maps.Keys(*h.Checks)) {
		said := (*h.Checks)[part]
		c := well("API: "+part, "%s", said)
		if said != "ok" {
			c = c.failing(map[string]string{
				"nats":   "see that NATS runs, and that SLUICE_NATS_URL of the API is right",
				"status": "see that a status service runs",
				"queue":  "run sluice setup",
				"keys":   "run sluice setup, and see that the API may read the bucket of keys",
			}[part])
		}
		checks = append(checks, c)
	}
	return checks
}

func queueCheck(q client.Queue, err error) Check {
	if err != nil {
		return failed("queue", err, "see that status and NATS are well")
	}
	return well("queue", "%d urgent and %d normal wait, %d running, %d retrying, %d cancelling",
		q.Depth.Urgent, q.Depth.Normal, q.Running, q.Retrying, q.Cancelling)
}

// waitingCheck looks for a job that has waited for long.
func waitingCheck(ctx context.Context, api *client.Client) Check {
	state, limit, before := client.JobStateQueued, 1, time.Now().Add(-longWait)
	a, err := api.Jobs(ctx, client.ListJobsParams{State: &state, Limit: &limit, CreatedBefore: &before})
	switch {
	case err != nil:
		return failed("waiting jobs", err, "see that status is well")
	case len(a.Value.Jobs) == 0:
		return well("waiting jobs", "none waits for longer than %s", longWait)
	}
	j := a.Value.Jobs[0]
	return well("waiting jobs", "job %s waits since %s", j.ID, j.CreatedAt.Local().Format(time.DateTime)).
		warned("run more ingesters, or see why those that run take no jobs")
}

func workersCheck(ctx context.Context, api *client.Client, server string) Check {
	a, err := api.Workers(ctx)
	if err != nil {
		return failed("ingesters", err, "see that NATS is well")
	}
	workers, slots, busy, versions := a.Value.Workers, 0, 0, map[string]int{}
	for _, w := range workers {
		slots, busy = slots+w.Slots, busy+len(w.Jobs)
		versions[w.Version]++
	}
	if len(workers) == 0 {
		return well("ingesters", "none answers").failing("start one: jobs wait until then")
	}
	var said []string
	for _, v := range slices.Sorted(maps.Keys(versions)) {
		said = append(said, fmt.Sprintf("%d of version %s", versions[v], v))
	}
	c := well("ingesters", "%s; %d of %d slots in use", strings.Join(said, ", "), busy, slots)
	if versions[server] != len(workers) {
		return c.warned("the API is of version " + server + "; bring all to the same")
	}
	return c
}
