package csv

import "sluice/pkg/events"

// Stated is what a job says of how its file is written. What is nil, empty or 0 is to be detected, but for comments, which
// are never guessed.
type Stated = events.CSV
