package doctor

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// muchUsed is the part of a limit of which a warning tells, tooMuchUsed that of which a failure does.
	muchUsed, tooMuchUsed = 0.8, 0.95
	// farBehind is how many events status may be behind.
	farBehind = 10_000
)

// checkNATS looks at the server, and at the streams and consumers that Sluice has there.
func checkNATS(ctx context.Context, p Patient) []Check {
	if p.NATSURL == "" {
		return skipped("none is named: --nats-url, or SLUICE_NATS_URL", "NATS")
	}
	nc, err := bus.Connect(p.NATSURL, "setup")
	switch {
	case err != nil && p.NATSGuessed:
		return skipped("there is none at "+p.NATSURL+", and no other one is named: --nats-url, or SLUICE_NATS_URL", "NATS")
	case err != nil:
		return []Check{failed("NATS", err, "see that it runs, and that --nats-url is right")}
	}
	defer nc.Close()
	checks := []Check{well("NATS", "%s answers, version %s", nc.ConnectedUrlRedacted(), nc.ConnectedServerVersion())}
	js, err := jetstream.New(nc)
	if err != nil {
		return append(checks, failed("JetStream", err, ""))
	}
	checks = append(checks, storeCheck(ctx, js))
	for _, s := range []struct {
		stream    string
		consumers []string
	}{
		{bus.JobsStream, lanes()}, {bus.EventsStream, []string{bus.FoldConsumer}},
		{"KV_" + bus.DocumentsBucket, nil}, {"KV_" + bus.ControlBucket, nil}, {bus.UploadsStream, nil},
	} {
		checks = append(checks, streamChecks(ctx, js, s.stream, s.consumers)...)
	}
	return append(checks, keysCheck(ctx, nc))
}

// keysCheck looks whether the API's keys can be read by whom this program connects as.
func keysCheck(ctx context.Context, nc *nats.Conn) Check {
	const name = "bucket " + bus.KeysBucket
	keys, err := bus.NewKeys(nc).List(ctx)
	switch {
	case errors.Is(err, bus.ErrNotSetUp):
		return failed(name, errors.New("it is missing: the API can check no keys"), "run sluice setup of this version")
	case err != nil:
		return failed(name, err, "look as a user that may read it, such as that of sluice setup")
	}
	return well(name, "keys: %d", len(keys))
}

// lanes are the consumers of the queue, which are called like the priorities.
func lanes() []string {
	var names []string
	for _, p := range events.Priorities() {
		names = append(names, string(p))
	}
	return names
}

func storeCheck(ctx context.Context, js jetstream.JetStream) Check {
	const name, advice = "JetStream", "give it more room (max_file_store), or remove what is not needed"
	info, err := js.AccountInfo(ctx)
	if err != nil {
		return failed(name, err, "see that JetStream is on, and that this user may ask for it ($JS.API.INFO)")
	}
	used := progress.Bytes(amount(info.Store))
	if info.Limits.MaxStore <= 0 {
		return well(name, "%s on disk, without a limit of the account's", used)
	}
	c := well(name, "%s of %s on disk", used, progress.Bytes(info.Limits.MaxStore))
	return limited(c, float64(info.Store)/float64(info.Limits.MaxStore), advice)
}

// limited is a check of something of which this part is used.
func limited(c Check, part float64, advice string) Check {
	switch {
	case part >= tooMuchUsed:
		return c.failing(advice)
	case part >= muchUsed:
		return c.warned(advice)
	}
	return c
}

func streamChecks(ctx context.Context, js jetstream.JetStream, name string, consumers []string) []Check {
	title := "stream " + name
	stream, err := js.Stream(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return []Check{failed(title, errors.New("it is missing"), "run sluice setup")}
	case err != nil:
		return []Check{failed(title, err, "see the log of NATS")}
	}
	state := stream.CachedInfo().State
	checks := []Check{well(title, "%s messages, %s", progress.Number(amount(state.Msgs)), progress.Bytes(amount(state.Bytes)))}
	if most := stream.CachedInfo().Config.MaxBytes; most > 0 {
		checks[0] = limited(checks[0], float64(state.Bytes)/float64(most), "raise its limit (sluice setup --upload-store-bytes)")
	}
	for _, c := range consumers {
		checks = append(checks, consumerCheck(ctx, stream, name, c))
	}
	return checks
}

func consumerCheck(ctx context.Context, stream jetstream.Stream, name, consumer string) Check {
	title := "consumer " + name + "/" + consumer
	c, err := stream.Consumer(ctx, consumer)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		return failed(title, errors.New("it is missing"), "run sluice setup")
	case err != nil:
		return failed(title, err, "see the log of NATS")
	}
	info := c.CachedInfo()
	check := well(title, "%s to come, %d in work, %d delivered again",
		progress.Number(amount(info.NumPending)), info.NumAckPending, info.NumRedelivered)
	if consumer == bus.FoldConsumer && info.NumPending > farBehind {
		return check.warned("status is behind: see that one runs and keeps up")
	}
	return check
}

// amount is a number of the server's, which none is too large for.
func amount(n uint64) int64 { return int64(min(n, 1<<62)) }
