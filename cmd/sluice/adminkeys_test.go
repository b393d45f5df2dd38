package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	"sluice/pkg/bus"
)

// sluice runs the command, and returns what it prints.
func sluice(t *testing.T, args ...string) (out, said string, err error) {
	t.Helper()
	var stdout, stderr strings.Builder
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(&stdout)
	command.SetErr(&stderr)
	err = command.ExecuteContext(testenv.Context(t))
	return stdout.String(), stderr.String(), err
}

func TestKeysCommands(t *testing.T) {
	n := testenv.StartNATS(t)
	keys := n.Bus("setup").Keys
	t.Setenv("SLUICE_NATS_URL", n.URL())

	out, said, err := sluice(t, "admin", "keys", "create", "--name", "ci", "--scopes", "read,write", "--expires", "90d",
		"--requests-per-minute", "600", "--queued-jobs", "100")
	if err != nil {
		t.Fatal(err)
	}
	id, secret, ok := apikey.Parse(strings.TrimSuffix(out, "\n"))
	if !ok || strings.Contains(said, secret) || !strings.Contains(said, id) {
		t.Errorf("printed are %q and %q", out, said)
	}
	all, err := keys.List(testenv.Context(t))
	if err != nil || len(all) != 1 {
		t.Fatalf("stored are %+v, %v", all, err)
	}
	if k := all[0]; k.ID != id || k.Name != "ci" || !slices.Equal(k.Scopes, []apikey.Scope{apikey.Read, apikey.Write}) ||
		k.ExpiresAt.Sub(k.CreatedAt) != 90*24*time.Hour || k.RequestsPerMinute != 600 || k.QueuedJobs != 100 || !k.Verify(secret, time.Now()) {
		t.Errorf("stored is %+v", k)
	}

	out, said, err = sluice(t, "admin", "keys", "create", "--name", "all of it", "--scopes", "read", "--scopes", "admin", "-o", "json")
	var made shownKey
	if err != nil || said != "" || json.Unmarshal([]byte(out), &made) != nil {
		t.Fatalf("printed are %q and %q, %v", out, said, err)
	}
	if other, secret, ok := apikey.Parse(made.Key); !ok || other != made.ID || !made.ExpiresAt.IsZero() || strings.Contains(out, all[0].Hash) || secret == "" {
		t.Errorf("printed is %s", out)
	}

	out, _, err = sluice(t, "admin", "keys", "ls")
	if err != nil || !strings.Contains(out, id+"  ci ") || !strings.Contains(out, "read,admin") || strings.Count(out, "\n") != 3 || strings.Contains(out, all[0].Hash) {
		t.Errorf("listed is %v\n%s", err, out)
	}
	out, _, err = sluice(t, "admin", "keys", "ls", "-o", "json")
	var list struct{ Keys []shownKey }
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list.Keys) != 2 || list.Keys[0].Key != "" || strings.Contains(out, all[0].Hash) {
		t.Errorf("listed is %v\n%s", err, out)
	}

	if _, said, err = sluice(t, "admin", "keys", "revoke", id); err != nil || !strings.Contains(said, id) {
		t.Errorf("revoked: %q, %v", said, err)
	}
	if _, _, err = sluice(t, "admin", "keys", "revoke", id, made.ID); err == nil || !strings.Contains(err.Error(), id) || strings.Contains(err.Error(), made.ID) {
		t.Errorf("revoked again: %v", err)
	}
	out, _, err = sluice(t, "admin", "keys", "ls", "-o", "json")
	if err != nil || strings.TrimSpace(strings.Join(strings.Fields(out), "")) != `{"keys":[]}` {
		t.Errorf("listed is %v\n%s", err, out)
	}
}

func TestKeysCommandsRefuse(t *testing.T) {
	n := testenv.StartNATS(t)
	keys := n.Bus("setup").Keys
	for wants, args := range map[string][]string{
		"scope":         {"create", "--name", "x"},
		`scope "all"`:   {"create", "--name", "x", "--scopes", "all"},
		"name":          {"create", "--scopes", "read"},
		"--expires":     {"create", "--name", "x", "--scopes", "read", "--expires", "0d"},
		`"soon"`:        {"create", "--name", "x", "--scopes", "read", "--expires", "soon"},
		"requests":      {"create", "--name", "x", "--scopes", "read", "--requests-per-minute", "-1"},
		"--output":      {"ls", "-o", "yaml"},
		"no key \"x\"":  {"revoke", "x"},
		"at least 1":    {"revoke"},
		"unknown comma": {"create", "x"},
	} {
		_, _, err := sluice(t, append(append([]string{"admin", "keys"}, args...), "--nats-url", n.URL())...)
		if err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if all, err := keys.List(testenv.Context(t)); err != nil || len(all) != 0 {
		t.Errorf("stored are %v, %v", all, err)
	}
	if _, _, err := sluice(t, "admin", "keys", "ls", "--nats-url", testenv.StartNATS(t).URL()); err == nil || !strings.Contains(err.Error(), bus.ErrNotSetUp.Error()) {
		t.Errorf("of a server that is not set up: %v", err)
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"1d": 24 * time.Hour, "90d": 90 * 24 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "36501d", "1", "0s", "-3h", "90 d", "99999999999999999999d"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
