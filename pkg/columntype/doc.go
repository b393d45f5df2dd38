// Package columntype knows what values a column takes whose type a job states: which it takes for sure, which Postgres has to
// be asked about, and how those that are written in a stated form are written for Postgres. What a type would cut off, round
// or drop of a value makes it unfit.
package columntype
