package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxName = 63  // bytes; Postgres would cut a longer name
	maxKey  = 255 // bytes of an idempotency key
)

// idempotencyNamespace makes ids from idempotency keys (RFC 9562, UUIDv5). Changing it would forget every key.
var idempotencyNamespace = uuid.MustParse("5e1c2f5a-6a0b-4c59-9d5c-0c7c1f2b7a10")

// request is a request for a job that was found to be valid.
type request struct {
	source
	table    string
	priority events.Priority
	ordered  bool
	destination
	reading
	notes
}

// meaning says what is wrong with a request but for what the document can say.
func meaning(request any) error {
	var err error
	switch stated := request.(type) {
	case *openapi.JobRequest:
		_, err = validate(*stated)
	case *openapi.PreviewRequest:
		_, _, _, err = validatePreview(*stated)
	}
	return err
}

// validate reads a request, or says about each bad field what is wrong with it.
func validate(body openapi.JobRequest) (request, error) {
	from, bad := parseSource(body)
	r := request{source: from, priority: events.Normal}
	if body.Table != nil {
		r.table = *body.Table
		if problem := checkTable(r.table); problem != "" {
			bad = append(bad, refusal.At("/table", problem))
		}
	}
	to, problems := parseDestination(body)
	r.destination, bad = to, append(bad, problems...)
	if body.Priority != nil {
		r.priority = events.Priority(*body.Priority)
		if !r.priority.Valid() {
			bad = append(bad, refusal.At("/priority", "must be urgent or normal"))
		}
	}
	r.ordered = body.Ordered != nil && *body.Ordered
	read, problems := parseReading(body)
	r.reading, bad = read, append(bad, problems...)
	noted, problems := parseLabels(body)
	r.notes, bad = noted, append(bad, problems...)
	if len(bad) > 0 {
		return request{}, refusal.BadFields(bad...)
	}
	return r, nil
}

func checkTable(name string) string {
	switch {
	case name == "":
		return "must not be empty; leave it out to have a name derived"
	case strings.HasPrefix(name, "sluice_staging_"):
		return "must not begin with sluice_staging_"
	}
	return checkName(name)
}

// hash tells a repeated request from another one. It is keyed, since the address in it may hold a weak password.
func (r request) hash(key seal.Sealer) string {
	text := fmt.Appendf(nil, "%q %q %q", r.url, r.table, r.priority)
	if r.ordered { // what was not there yet when keys were first used must not change their hashes
		text = append(text, " ordered"...)
	}
	for _, part := range []any{r.destination, r.reading, r.source, r.notes} { // which have no field of the same name
		if stated, _ := json.Marshal(part); string(stated) != "{}" { // cannot fail: it was found to be valid
			text = append(append(text, ' '), stated...)
		}
	}
	return key.Fingerprint(text)
}

// newID returns the job's id: one that grows with time, or the one that an idempotency key stands for. It stands for another one
// with each API key that jobs are submitted with.
func newID(submitter string, key *string) (string, error) {
	if key == nil {
		id, err := uuid.NewV7()
		if err != nil {
			return "", fmt.Errorf("making a job's id: %w", err)
		}
		return id.String(), nil
	}
	if len(*key) == 0 || len(*key) > maxKey || strings.ContainsFunc(*key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", refusal.New(refusal.InvalidRequest, fmt.Sprintf("Idempotency-Key must be 1 to %d printable ASCII characters", maxKey),
			refusal.At("Idempotency-Key", fmt.Sprintf("must be 1 to %d printable ASCII characters", maxKey)))
	}
	name := *key
	if submitter != "" {
		name = submitter + "\n" + name // which no key has
	}
	return uuid.NewSHA1(idempotencyNamespace, []byte(name)).String(), nil
}
