package csv

import "errors"

// ErrCut is what a source is to fail with behind the part of a file that is all that is read of it. What there is suffices
// then to find out how the file is written, and reading fails with it at the first record that may go on behind the part.
var ErrCut = errors.New("the file goes on behind the part that is read")
