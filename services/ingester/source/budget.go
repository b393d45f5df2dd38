package source

import (
	"fmt"

	"sluice/pkg/events"
)

// ratioFrom is from how many decompressed bytes on the ratio counts: small files may be of one letter.
const ratioFrom = 10 << 20

// budget bounds what a file may expand to.
type budget struct {
	at     fmt.Stringer
	limits Limits
}

// check fails when so many bytes that were sent have become too many.
func (b budget) check(bytes, sent int64) error {
	if bytes <= ratioFrom || bytes/b.limits.Ratio < sent {
		return nil
	}
	return events.Failf(events.CodeCompressionRatio,
		"%s has become more than %d times as large when it was decompressed, as a decompression bomb does; "+
			"submit it decompressed or have the operator raise SLUICE_SOURCE_RATIO", b.at, b.limits.Ratio)
}
