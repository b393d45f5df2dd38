package ingester

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"sluice/services/ingester/csv"
	"sluice/services/ingester/source"
)

// SourceSettings say where files may come from and what one may cost. They are the same for an ingester as a process and for
// those of sluice up.
type SourceSettings struct {
	Allow   []string // what is open besides public addresses
	Folders []string // whose files may be read
	Limits  source.Limits
	CSV     csv.Limits
	JobTime time.Duration
}

// DefaultSourceSettings open public addresses only and have the default limits.
func DefaultSourceSettings() SourceSettings {
	return SourceSettings{
		Limits: source.DefaultConfig().Limits, CSV: csv.DefaultOptions().Limits, JobTime: defaultJobTime,
	}
}

// Flags adds a flag for each setting.
func (s *SourceSettings) Flags(f *pflag.FlagSet) {
	f.StringSliceVar(&s.Allow, "source-allow", s.Allow,
		"what may be loaded from besides public addresses: CIDR, host or host:port")
	f.StringSliceVar(&s.Folders, "source-folders", s.Folders, "folders of this machine whose files may be loaded, with all below them")
	l := &s.Limits
	f.Int64Var(&l.Size, "source-bytes", l.Size, "how large a file may be as it is sent")
	f.Int64Var(&l.TextSize, "source-text-bytes", l.TextSize, "how large it may be when it is decompressed")
	f.Int64Var(&l.Ratio, "source-ratio", l.Ratio, "how many times as large it may become then")
	f.IntVar(&l.Redirects, "source-redirects", l.Redirects, "how many redirects are followed")
	f.DurationVar(&l.Connect, "source-connect-time", l.Connect, "how long connecting to a file's server may take")
	f.DurationVar(&l.Header, "source-header-time", l.Header, "how long its answer may take to begin")
	f.Int64Var(&l.HeaderBytes, "source-header-bytes", l.HeaderBytes, "how long the header of its answer may be")
	f.DurationVar(&l.StallWindow, "source-stall-time", l.StallWindow, "for how long a file may come too slowly")
	f.Int64Var(&l.StallRate, "source-stall-rate", l.StallRate, "how many bytes a second are not too slow")
	f.IntVar(&s.CSV.Field, "field-bytes", s.CSV.Field, "how long a value may be")
	f.IntVar(&s.CSV.Row, "row-bytes", s.CSV.Row, "how long a row may be")
	f.DurationVar(&s.JobTime, "job-time", s.JobTime, "how long an attempt may take")
}

// Opener returns what opens files within the settings; it knows uploads if there is a store of them. Its error names the setting
// at fault.
func (s SourceSettings) Opener(uploads source.Uploads) (*source.Opener, error) {
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"SLUICE_FIELD_BYTES (--field-bytes)", int64(s.CSV.Field)}, {"SLUICE_ROW_BYTES (--row-bytes)", int64(s.CSV.Row)},
		{"SLUICE_JOB_TIME (--job-time)", int64(s.JobTime)},
	} {
		if limit.value <= 0 {
			return nil, fmt.Errorf("%s must be positive", limit.name)
		}
	}
	config := source.DefaultConfig()
	config.Allow, config.Folders, config.Limits, config.Uploads = s.Allow, s.Folders, s.Limits, uploads
	return source.New(config)
}

// Apply tells a worker its limits.
func (s SourceSettings) Apply(config *Config) { config.Limits, config.JobTime = s.CSV, s.JobTime }
