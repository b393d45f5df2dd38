package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// Names of streams, consumers and buckets. Lane consumers are named after their priority.
const (
	JobsStream      = "JOBS"
	EventsStream    = "EVENTS"
	FoldConsumer    = "fold"
	DocumentsBucket = "jobs"
	ControlBucket   = "control"
	KeysBucket      = "keys"
	UploadsBucket   = "uploads"
	UploadsStream   = "OBJ_" + UploadsBucket
)

const (
	// AckWait is how long a message stays with a worker or folder that shows no sign of life.
	AckWait = 10 * time.Second
	// HeartbeatInterval is how often a worker says that it still has its message.
	HeartbeatInterval = 3 * time.Second
	// EventsMaxAge is how long the history of a job is kept.
	EventsMaxAge = 30 * 24 * time.Hour
	// UploadsMaxAge is how long an upload is kept that no job needs.
	UploadsMaxAge = 24 * time.Hour
)

// Topology is what there is to be, as far as that depends on the servers.
type Topology struct {
	Replicas int // 1 on a single server, 3 in a cluster
	// UploadBytes is what all uploads together may take of the store; 0: as much as there is. What they take queue and history
	// have not got.
	UploadBytes int64
}

// Setup is [Topology.Setup] without a limit for uploads.
func Setup(ctx context.Context, nc *nats.Conn, replicas int) error {
	return Topology{Replicas: replicas}.Setup(ctx, nc)
}

// Setup creates every stream, consumer and bucket, or brings it to the state described here. It may be run at any
// time, any number of times.
func (t Topology) Setup(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("opening JetStream: %w", err)
	}
	for _, stream := range streams(t.Replicas) {
		if _, err := js.CreateOrUpdateStream(ctx, stream); err != nil {
			return fmt.Errorf("setting up stream %s: %w", stream.Name, unavailable(err))
		}
	}
	for _, c := range consumers() {
		if _, err := js.CreateOrUpdateConsumer(ctx, c.stream, c.config); err != nil {
			return fmt.Errorf("setting up consumer %s of %s: %w", c.config.Durable, c.stream, unavailable(err))
		}
	}
	for _, bucket := range buckets(t.Replicas) {
		if _, err := js.CreateOrUpdateKeyValue(ctx, bucket); err != nil {
			return fmt.Errorf("setting up bucket %s: %w", bucket.Bucket, unavailable(err))
		}
	}
	if _, err := js.CreateOrUpdateObjectStore(ctx, uploadsBucket(t)); err != nil {
		return fmt.Errorf("setting up bucket %s: %w", UploadsBucket, unavailable(err))
	}
	return nil
}

func streams(replicas int) []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{
			Name:        JobsStream,
			Description: "Jobs that wait for a worker or are with one",
			Subjects:    []string{events.JobSubjects},
			Retention:   jetstream.WorkQueuePolicy,
			Storage:     jetstream.FileStorage,
			Replicas:    replicas,
			AllowDirect: true,
			// A second copy of a queued job is refused instead of replacing the first.
			Discard:              jetstream.DiscardNew,
			DiscardNewPerSubject: true,
			MaxMsgsPerSubject:    1,
			Duplicates:           24 * time.Hour,
		},
		{
			Name:        EventsStream,
			Description: "What has happened to each job; the status is folded from it",
			Subjects:    []string{events.EventSubjects},
			Retention:   jetstream.LimitsPolicy,
			Storage:     jetstream.FileStorage,
			Replicas:    replicas,
			AllowDirect: true,
			Discard:     jetstream.DiscardOld,
			// Only progress has more than a few events of one type, so it is progress that is thinned.
			MaxMsgsPerSubject: 16,
			MaxAge:            EventsMaxAge,
		},
	}
}

type consumer struct {
	stream string
	config jetstream.ConsumerConfig
}

func consumers() []consumer {
	list := []consumer{{EventsStream, jetstream.ConsumerConfig{
		Durable:       FoldConsumer,
		Description:   "Folds events into status documents; shared by the replicas of status",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       AckWait,
		MaxAckPending: 2048,
	}}}
	for _, p := range events.Priorities() {
		list = append(list, consumer{JobsStream, jetstream.ConsumerConfig{
			Durable:       string(p),
			Description:   "Hands " + string(p) + " jobs to ingesters",
			FilterSubject: events.LaneSubjects(p),
			AckPolicy:     jetstream.AckExplicitPolicy,
			// No BackOff: its first step would silently replace AckWait.
			AckWait: AckWait,
			// Never exhausted: an exhausted message would block its subject for ever. The register counts attempts.
			MaxDeliver:    -1,
			MaxAckPending: 10000,
		}})
	}
	return list
}

// tailConsumer is the consumer of one process that follows the history; it is made and forgotten with that.
func tailConsumer(name string, from uint64) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Name:          name,
		Description:   "Follows the events for those who watch jobs",
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   from,
		FilterSubject: events.EventSubjects,
		AckPolicy:     jetstream.AckNonePolicy,
		MemoryStorage: true,
		Replicas:      1,
		// Nobody deletes it: nobody but the server has to have the right to.
		InactiveThreshold: 30 * time.Second,
	}
}

func buckets(replicas int) []jetstream.KeyValueConfig {
	return []jetstream.KeyValueConfig{
		{
			Bucket:         DocumentsBucket,
			Description:    "How each job stands",
			History:        1,
			Storage:        jetstream.FileStorage,
			Replicas:       replicas,
			LimitMarkerTTL: time.Hour,
		},
		{
			Bucket:         ControlBucket,
			Description:    "Who owns each job",
			History:        1,
			Storage:        jetstream.FileStorage,
			Replicas:       replicas,
			LimitMarkerTTL: time.Hour,
		},
		{
			Bucket:         KeysBucket,
			Description:    "API keys, their secrets hashed",
			History:        1,
			Storage:        jetstream.FileStorage,
			Replicas:       replicas,
			LimitMarkerTTL: time.Hour,
		},
	}
}

// uploadsBucket has no age limit: a job may wait for long before it loads its file.
func uploadsBucket(t Topology) jetstream.ObjectStoreConfig {
	return jetstream.ObjectStoreConfig{
		Bucket:      UploadsBucket,
		Description: "Files that were uploaded, until a job has loaded them",
		Storage:     jetstream.FileStorage,
		Replicas:    t.Replicas,
		MaxBytes:    t.UploadBytes,
	}
}
