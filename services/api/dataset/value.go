package dataset

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs of an operator that a type does not have, or a text that cannot be made a value of it.
const (
	stateUndefinedFunction = "42883"
	stateAmbiguousFunction = "42725"
	stateCannotCast        = "42846"
	stateDatatypeMismatch  = "42804"
	stateCheckViolation    = "23514" // of a domain
)

// failure tells errors of values and operators, which are the caller's, from others.
func (s *selection) failure(ctx context.Context, err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || ctx.Err() != nil || !s.filtered && !s.resumed {
		return failure(ctx, err)
	}
	badValue := pg.Code[:2] == "22" || pg.Code == stateCheckViolation
	switch {
	case badValue && !s.filtered:
		return badParameter("cursor", notACursor)
	case badValue:
		return badParameter("filter", "has a value that is not one of its column's type: %s", pg.Message)
	case hasState(err, stateUndefinedFunction, stateAmbiguousFunction, stateCannotCast, stateDatatypeMismatch):
		return badParameter("filter", "has an operator that its column's type does not have; is always works")
	}
	return failure(ctx, err)
}
