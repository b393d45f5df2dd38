package bus

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
)

// Upload is a file that was uploaded.
type Upload struct {
	ID        string    // a UUID that grows with time
	Name      string    // the file's, fit to be shown; empty if it was not told
	MediaType string    // empty if it was not told
	Bytes     int64     // more than 0
	SHA256    string    // of its content, in hex
	At        time.Time // when it was complete, by the clock of who stored it
	Jobs      []string  // that it was reserved for
	// ReservedAt is when it was stored, or reserved last, by the server's clock.
	ReservedAt time.Time

	chunks   int
	revision uint64
}

// What the metadata of an object holds of an upload.
const (
	metaMediaType = "media_type"
	metaAt        = "uploaded_at"
	metaJobs      = "jobs" // separated by spaces
)

// digestPrefix begins the digest of an object; it is followed by the hash in base64.
const digestPrefix = "SHA-256="

// chunkSubject is where the chunks of an upload lie, in their order (NATS ADR-20).
func chunkSubject(id string) string { return "$O." + UploadsBucket + ".C." + id }

// objectPrefix begins the subjects of objects.
const objectPrefix = "$O." + UploadsBucket + ".M."

// objectSubject is where it lies what an upload is. Without that its chunks are nothing.
func objectSubject(id string) string {
	return objectPrefix + base64.URLEncoding.EncodeToString([]byte(id))
}

// isUploadID reports whether an upload can have the id. Any other one might be a pattern, which the chunks of others match.
func isUploadID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}

// object is the upload in the words of the object store.
func (u Upload) object() (jetstream.ObjectInfo, error) {
	digest, err := hex.DecodeString(u.SHA256)
	if err != nil {
		return jetstream.ObjectInfo{}, fmt.Errorf("reading the digest of upload %s: %w", u.ID, err)
	}
	meta := map[string]string{metaAt: u.At.UTC().Format(time.RFC3339Nano)}
	for key, value := range map[string]string{metaMediaType: u.MediaType, metaJobs: strings.Join(u.Jobs, " ")} {
		if value != "" {
			meta[key] = value
		}
	}
	return jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{
			Name: u.ID, Description: u.Name, // for those who look with the nats command
			Metadata: meta, Opts: &jetstream.ObjectMetaOptions{ChunkSize: uploadChunk},
		},
		Bucket: UploadsBucket, NUID: u.ID, Size: uint64(u.Bytes), Chunks: uint32(u.chunks), //nolint:gosec // counted from 0
		Digest: digestPrefix + base64.URLEncoding.EncodeToString(digest),
	}, nil
}

// removal is what is left in the place of an upload that was removed.
func (u Upload) removal() jetstream.ObjectInfo {
	return jetstream.ObjectInfo{ObjectMeta: jetstream.ObjectMeta{Name: u.ID}, Bucket: UploadsBucket, NUID: u.ID, Deleted: true}
}

// decodeUpload reads what an upload is, and reports whether it was removed.
func decodeUpload(message *found) (u Upload, removed bool, err error) {
	var object jetstream.ObjectInfo
	if err := json.Unmarshal(message.Data, &object); err != nil {
		return Upload{}, false, fmt.Errorf("decoding an upload: %w", err)
	}
	if objectSubject(object.Name) != message.Subject || object.NUID != object.Name || !isUploadID(object.Name) {
		return Upload{}, false, fmt.Errorf("decoding an upload: %q lies under %s", object.Name, message.Subject)
	}
	u = Upload{ID: object.Name, ReservedAt: message.Time, revision: message.Sequence}
	if object.Deleted {
		return u, true, nil
	}
	digest, err := base64.URLEncoding.DecodeString(strings.TrimPrefix(object.Digest, digestPrefix))
	if err != nil {
		return Upload{}, false, fmt.Errorf("decoding the digest of upload %s: %w", u.ID, err)
	}
	if u.At, err = time.Parse(time.RFC3339Nano, object.Metadata[metaAt]); err != nil {
		return Upload{}, false, fmt.Errorf("decoding the time of upload %s: %w", u.ID, err)
	}
	u.Name, u.MediaType = object.Description, object.Metadata[metaMediaType]
	u.Jobs = strings.Fields(object.Metadata[metaJobs])
	u.Bytes, u.chunks, u.SHA256 = int64(object.Size), int(object.Chunks), hex.EncodeToString(digest) //nolint:gosec // written by object
	return u, false, nil
}

// reservedFor reports whether a job may load the upload.
func (u Upload) reservedFor(jobID string) bool { return slices.Contains(u.Jobs, jobID) }
