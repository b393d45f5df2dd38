package types

import "errors"

var (
	errState  = errors.New("reading the state of a column: it is one that no values lead to")
	errShort  = errors.New("it has too few values")
	errCut    = errors.New("it has no end")
	errEscape = errors.New("it has an escape that is none")
)
