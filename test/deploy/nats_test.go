package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// natsServer is the server's program, of the version that the module requires.
var natsServer = sync.OnceValues(func() (string, error) {
	return filepath.Join(scratch, "nats-server"), testenv.Build(scratch, "github.com/nats-io/nats-server/v2")
})

// server is a NATS server that runs under nats.conf, with the passwords of compose.yaml.
type server struct {
	*process
	host, monitor string
}

func startNATS(t testing.TB) *server { return startNATSIn(t, testenv.Dir(t)) }

// startNATSIn runs a server whose files are in a directory.
func startNATSIn(t testing.TB, store string) *server {
	t.Helper()
	program, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	dir := testenv.Dir(t)
	s := &server{process: run(t, environment(t, "nats", nil), program, "--config", deployed("nats.conf"), // and besides:
		"--addr", "127.0.0.1", "--port", "-1", "--http_port", "-1", "--store_dir", store, "--ports_file_dir", dir)}
	testenv.Eventually(testenv.Context(t), t, "the NATS server says where it listens", func() error {
		files, err := filepath.Glob(filepath.Join(dir, "*.ports"))
		if err != nil || len(files) == 0 {
			select {
			case <-s.ended:
				t.Fatalf("the NATS server has ended: %s", s.said.String())
			default:
			}
			return errors.Join(err, errors.New(s.said.String()))
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			return err
		}
		var ports struct{ Nats, Monitoring []string }
		if err := json.Unmarshal(data, &ports); err != nil || len(ports.Nats) == 0 || len(ports.Monitoring) == 0 {
			return fmt.Errorf("%s: %w", data, err)
		}
		s.host, s.monitor = strings.TrimPrefix(ports.Nats[0], "nats://"), ports.Monitoring[0]
		return nil
	})
	return s
}

// url is the address that compose.yaml gives a service, at this server.
func (s *server) url(t testing.TB, service string) string {
	t.Helper()
	if service == "backup" { // which people have, and no service
		return "nats://backup:backup-dev@" + s.host
	}
	environment := compose(t, nil).Services[service].Environment
	given := environment["SLUICE_NATS_URL"]
	if service == "observer" { // which runs the nats command
		given = environment["NATS_URL"]
	}
	if given == nil {
		t.Fatalf("%s is not told where NATS is", service)
	}
	parsed, err := url.Parse(*given)
	if err != nil || parsed.Host != "nats:4222" || parsed.User.Username() != service {
		t.Fatalf("%s is to connect to %s", service, *given)
	}
	parsed.Host = s.host
	return parsed.String()
}

func TestNATSConfiguration(t *testing.T) {
	t.Parallel()
	program, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	passwords := environment(t, "nats", nil)
	if len(passwords) != 6 {
		t.Errorf("the passwords are %v", passwords)
	}
	check := []string{"--config", deployed("nats.conf"), "-t"}
	if p := run(t, passwords, program, check...); p.wait(t) != 0 {
		t.Errorf("nats.conf is wrong: %s", p.said.String())
	}
	for n := range passwords {
		without := append(append([]string{}, passwords[:n]...), passwords[n+1:]...)
		if p := run(t, without, program, check...); p.wait(t) == 0 {
			t.Errorf("the server starts without %s", passwords[n])
		}
	}
	s := startNATS(t)
	for path, wanted := range map[string]string{"/healthz": `"ok"`, "/jsz": `"sync_always": true`} {
		answer, err := http.Get(s.monitor + path)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		if err := answer.Write(&body); err != nil || !strings.Contains(body.String(), wanted) {
			t.Errorf("%s: %v\n%s", path, err, body.String())
		}
	}
}

// noKeys are the ways to API keys, which only setup and api have.
const noKeys = "$KV.keys.x $JS.API.STREAM.MSG.GET.KV_keys $JS.API.DIRECT.GET.KV_keys $JS.API.DIRECT.GET.KV_keys.$KV.keys.x " +
	"$JS.API.CONSUMER.CREATE.KV_keys.x.$KV.keys.> $JS.API.CONSUMER.CREATE.KV_keys.x $JS.API.STREAM.UPDATE.KV_keys $JS.API.STREAM.PURGE.KV_keys $JS.API.STREAM.DELETE.KV_keys"

// TestUsers holds what each user may do and may not, on a server without streams.
func TestUsers(t *testing.T) {
	t.Parallel()
	s := startNATS(t)
	for user, rights := range map[string]struct{ publish, subscribe, not, deaf string }{
		"setup": {
			publish: "$JS.API.STREAM.CREATE.JOBS $JS.API.STREAM.UPDATE.KV_jobs $JS.API.STREAM.CREATE.OBJ_uploads $JS.API.STREAM.UPDATE.OBJ_uploads $JS.API.CONSUMER.CREATE.EVENTS.fold svc.status.reconcile " +
				"$JS.API.STREAM.CREATE.KV_keys $KV.keys.x $JS.API.STREAM.MSG.GET.KV_keys $JS.API.CONSUMER.CREATE.KV_keys.x.$KV.keys.> $JS.API.CONSUMER.DELETE.KV_keys.x",
			subscribe: "_INBOX_setup.x",
			not: "svc.status.cancel svc.status.retry $JS.API.STREAM.DELETE.JOBS $JS.API.STREAM.PURGE.EVENTS $JS.API.STREAM.CREATE.other jobs.normal.x $KV.control.x " +
				"$JS.API.STREAM.DELETE.OBJ_uploads $JS.API.STREAM.PURGE.OBJ_uploads $JS.API.STREAM.MSG.GET.OBJ_uploads $O.uploads.M.x " +
				"$JS.API.STREAM.DELETE.KV_keys $JS.API.STREAM.PURGE.KV_keys $JS.API.CONSUMER.CREATE.KV_jobs.x.$KV.jobs.>",
			deaf: "> jobs.> events.> $KV.> $KV.keys.> $O.> _INBOX_api.>",
		},
		"api": {
			publish: "jobs.normal.x events.x.created events.x.queued svc.status.get svc.status.retry svc.ingester.preview svc.ingester.workers $JS.API.STREAM.MSG.GET.JOBS " +
				"$JS.API.CONSUMER.CREATE.EVENTS.api-x.events.*.* $JS.API.CONSUMER.MSG.NEXT.EVENTS.api-x $JS.API.DIRECT.GET.EVENTS " +
				"$O.uploads.C.x $O.uploads.M.x $JS.API.STREAM.MSG.GET.OBJ_uploads $JS.API.STREAM.PURGE.OBJ_uploads " +
				"svc.status.waiting $JS.API.STREAM.INFO.KV_keys $JS.API.CONSUMER.CREATE.KV_keys.x.$KV.keys.> $JS.API.CONSUMER.DELETE.KV_keys.x $JS.FC.KV_keys.x",
			subscribe: "_INBOX_api.x",
			not: "svc.status.reconcile svc.ingester.ledger svc.ingester.report events.x.redriven $KV.control.x $KV.jobs.x events.x.succeeded $JS.API.STREAM.DELETE.JOBS $JS.API.STREAM.PURGE.JOBS $JS.ACK.JOBS.normal.1.1.1.1.0 " +
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.normal $JS.API.STREAM.MSG.DELETE.JOBS $JS.API.DIRECT.GET.KV_control.$KV.control.x " +
				"$JS.API.STREAM.MSG.GET.KV_control $JS.API.STREAM.MSG.GET.KV_jobs $JS.API.CONSUMER.CREATE.EVENTS.fold $JS.API.CONSUMER.CREATE.EVENTS.fold.events.*.* $JS.API.CONSUMER.MSG.NEXT.EVENTS.fold " +
				"$JS.API.CONSUMER.DELETE.EVENTS.fold $JS.API.CONSUMER.CREATE.EVENTS.x $JS.API.CONSUMER.CREATE.JOBS.x.jobs.normal.* $JS.ACK.EVENTS.fold.1.1.1.1.0 " +
				"$JS.API.STREAM.DELETE.OBJ_uploads $JS.API.STREAM.MSG.DELETE.OBJ_uploads $JS.API.DIRECT.GET.OBJ_uploads $JS.API.CONSUMER.CREATE.OBJ_uploads.x.$O.uploads.C.x $O.other.C.x " +
				"$KV.keys.x $JS.API.STREAM.DELETE.KV_keys $JS.API.STREAM.PURGE.KV_keys $JS.API.STREAM.UPDATE.KV_keys",
			deaf: "> jobs.> events.> $KV.> $O.> _INBOX_status.> svc.status.get",
		},
		"status": {
			publish: "jobs.normal.x events.x.queued events.x.cancelled $KV.jobs.x $KV.control.x _INBOX_api.x " + // jobs: those that it repairs
				"events.x.redriven svc.ingester.ledger svc.ingester.report _INBOX_setup.x $JS.API.DIRECT.GET.EVENTS $JS.FC.KV_jobs.x $JS.API.CONSUMER.DELETE.KV_jobs.x $JS.ACK.EVENTS.fold.1.1.1.1.0 " +
				"$O.uploads.M.x $JS.API.STREAM.INFO.OBJ_uploads $JS.API.STREAM.MSG.GET.OBJ_uploads $JS.API.STREAM.PURGE.OBJ_uploads",
			subscribe: "_INBOX_status.x svc.status.get svc.status.reconcile $SRV.PING",
			not: "events.x.created events.x.succeeded $JS.API.STREAM.DELETE.KV_jobs $JS.API.STREAM.PURGE.KV_jobs $JS.ACK.JOBS.normal.1.1.1.1.0 " +
				"$JS.API.CONSUMER.DELETE.EVENTS.fold $JS.API.CONSUMER.MSG.NEXT.JOBS.normal $JS.API.CONSUMER.CREATE.EVENTS.x " +
				"$O.uploads.C.x $JS.API.STREAM.DELETE.OBJ_uploads $JS.API.DIRECT.GET.OBJ_uploads " + noKeys,
			deaf: "> jobs.> events.> $O.> $KV.keys.> _INBOX_api.> svc.ingester.report",
		},
		"ingester": {
			publish: "events.x.started events.x.progress events.x.retrying events.x.succeeded events.x.failed events.x.cancelled $KV.control.x " +
				"$JS.ACK.JOBS.urgent.1.1.1.1.0 $JS.FC.KV_control.x $JS.API.CONSUMER.DELETE.KV_control.x " +
				"$JS.API.STREAM.MSG.GET.JOBS $JS.API.STREAM.MSG.DELETE.JOBS _INBOX_status.x _INBOX.x " + // JOBS: does a job have a message?
				"$O.uploads.M.x $JS.API.STREAM.MSG.GET.OBJ_uploads $JS.API.DIRECT.GET.OBJ_uploads $JS.API.STREAM.PURGE.OBJ_uploads",
			subscribe: "_INBOX_ingester.x events.*.queued svc.ingester.report svc.ingester.ledger svc.ingester.preview svc.ingester.workers $SRV.PING",
			not: "jobs.normal.x events.x.created $KV.jobs.x $JS.API.STREAM.DELETE.JOBS $JS.API.STREAM.PURGE.KV_control svc.status.cancel " +
				"$JS.API.STREAM.PURGE.JOBS $JS.API.STREAM.MSG.DELETE.EVENTS $JS.API.STREAM.MSG.DELETE.KV_control $JS.API.CONSUMER.DELETE.JOBS.normal $JS.API.CONSUMER.CREATE.JOBS.x.jobs.normal.* $JS.ACK.EVENTS.fold.1.1.1.1.0 " +
				"$O.uploads.C.x $JS.API.STREAM.DELETE.OBJ_uploads $JS.API.CONSUMER.CREATE.OBJ_uploads.x.$O.uploads.C.x " + noKeys,
			deaf: "> jobs.> events.> $O.> $KV.keys.> svc.status.get _INBOX_api.>",
		},
		"observer": {
			publish: "$JS.API.STREAM.LIST $JS.API.STREAM.INFO.EVENTS $JS.API.CONSUMER.LIST.JOBS $JS.API.CONSUMER.INFO.EVENTS.fold " +
				"$JS.API.STREAM.MSG.GET.EVENTS $JS.API.DIRECT.GET.JOBS $JS.API.DIRECT.GET.KV_jobs.$KV.jobs.x svc.status.get svc.status.list $SRV.PING " +
				"$JS.API.STREAM.INFO.OBJ_uploads $JS.API.DIRECT.GET.OBJ_uploads.$O.uploads.M.x",
			subscribe: "_INBOX.x events.> $KV.jobs.>",
			not: "jobs.normal.x events.x.created $KV.jobs.x $KV.control.x svc.status.cancel svc.status.retry svc.status.reconcile svc.ingester.report $JS.API.STREAM.DELETE.JOBS $JS.API.STREAM.PURGE.KV_jobs " +
				"$JS.API.STREAM.MSG.DELETE.EVENTS $JS.API.CONSUMER.CREATE.EVENTS.fold $JS.API.CONSUMER.DELETE.EVENTS.fold " +
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.normal $JS.ACK.JOBS.normal.1.1.1.1.0 $JS.API.DIRECT.GET.KV_control.$KV.control.x " +
				"$JS.API.DIRECT.GET.OBJ_uploads $JS.API.DIRECT.GET.OBJ_uploads.$O.uploads.C.x $JS.API.STREAM.MSG.GET.OBJ_uploads $JS.API.STREAM.PURGE.OBJ_uploads $O.uploads.M.x $O.uploads.C.x " + noKeys,
			deaf: "> jobs.> $O.> $KV.control.> $KV.keys.> _INBOX_api.> svc.status.get",
		},
		"backup": {
			publish:   "$JS.API.STREAM.SNAPSHOT.JOBS $JS.API.STREAM.RESTORE.KV_jobs $JS.API.STREAM.SNAPSHOT.OBJ_uploads $JS.API.STREAM.RESTORE.OBJ_uploads $JS.SNAPSHOT.ACK.JOBS.x $JS.SNAPSHOT.RESTORE.JOBS.x $JS.API.STREAM.SNAPSHOT.KV_keys $JS.API.STREAM.RESTORE.KV_keys",
			subscribe: "_INBOX.x",
			not: "$JS.API.STREAM.DELETE.JOBS $JS.API.STREAM.PURGE.EVENTS $JS.API.STREAM.CREATE.JOBS $JS.API.STREAM.RESTORE.other " +
				"jobs.normal.x events.x.created $KV.jobs.x $O.uploads.M.x $JS.API.STREAM.PURGE.OBJ_uploads " + noKeys,
			deaf: "> jobs.> events.> $KV.> $O.> _INBOX_api.> svc.status.get",
		},
	} {
		t.Run(user, func(t *testing.T) {
			publish := func(nc *nats.Conn, subject string) error { return nc.Publish(subject, nil) }
			subscribe := func(nc *nats.Conn, subject string) error {
				_, err := nc.SubscribeSync(subject)
				return err
			}
			s.expect(t, user, rights.publish, publish, true)
			s.expect(t, user, rights.not, publish, false)
			s.expect(t, user, rights.subscribe, subscribe, true)
			s.expect(t, user, rights.deaf, subscribe, false)
		})
	}
	if nc, err := nats.Connect("nats://" + s.host); err == nil {
		nc.Close()
		t.Error("a user without a name is let in")
	}
	if !strings.Contains(s.said.String(), violation) {
		t.Errorf("the server's log does not name violations:\n%s", s.said.String())
	}
}

// violation is how the server's log names what a user was not allowed to do.
const violation = "Violation"

// expect does something with each of the subjects as a user, and holds that the server allows it or not.
func (s *server) expect(t *testing.T, user, subjects string, do func(*nats.Conn, string) error, allowed bool) {
	t.Helper()
	for subject := range strings.FieldsSeq(subjects) {
		nc, err := bus.Connect(s.url(t, user), user, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(do(nc, subject), nc.Flush()); err != nil {
			t.Error(err)
		}
		if err := nc.LastError(); (err == nil) != allowed || err != nil && !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: allowed should be %t, answered is %v", subject, allowed, err)
		}
		nc.Close()
	}
}
