package ingester

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// skipUnchanged ends the job if it asks for that, and the source proves before it is read that the rows of an earlier job are still
// what it holds. It returns nil if the file is to be read; once it is, its checksum may say the same.
func (a *attempt) skipUnchanged(ctx context.Context, load *postgres.Load, body *source.Body, key string, began time.Time,
) (*postgres.Outcome, error) {
	if !a.job.Spec.SkipUnchanged {
		return nil, nil
	}
	validator, err := validatorOf(body)
	if err != nil {
		return nil, err
	}
	p := a.ending(body, key, began)
	p.Source = validator
	return load.Unchanged(ctx, p, func(b postgres.Baseline) bool { return isVersion(b, body.Validator()) })
}

// isVersion reports whether a file with the validator now is certainly what a baseline was made of, to its end.
func isVersion(b postgres.Baseline, now source.Validator) bool {
	var was source.Validator
	if b.Source == nil || json.Unmarshal(b.Source, &was) != nil { // of another Sluice
		return false
	}
	cut := slices.ContainsFunc(b.Result.Warnings, func(w events.Warning) bool { return w.Code == events.WarnLengthUnverified })
	return was.Proves(now) && !cut
}

// sourceKey stands for the source, how it is read and where to: all of what the job states, but for what makes no other rows of
// the same bytes, and the charset that the server states. An upload has another address each time, and is known by its name.
func (a *attempt) sourceKey(address, name, charset string) string {
	spec := a.job.Spec
	if _, uploaded := spec.Source.Upload(); uploaded {
		address = events.UploadScheme + name
	}
	spec.Source = events.Source{URL: address, Member: spec.Source.Member}
	spec.Mode, spec.Priority, spec.Ordered, spec.SkipUnchanged, spec.CreatedAt = "", "", false, false, time.Time{}
	spec.Labels, spec.Submitter = nil, ""
	if spec.CSV.Encoding != "" {
		charset = "" // which is not asked for
	}
	data, err := json.Marshal(struct {
		events.Spec
		Charset string `json:"charset,omitempty"`
	}{spec, strings.ToLower(charset)})
	if err != nil {
		return "" // never, as the spec came as JSON
	}
	return a.parts.Sealer.Fingerprint(data)
}
