// Package types finds out which types of Postgres the values of a column fit without losing anything.
//
// A value fits a type if Postgres, with DateStyle ISO and TimeZone UTC, writes it back byte for byte, or if it differs from
// that by a form that all values of the column share and that has a name, such as a T between date and time. What is not
// proved to fit is text.
//
// [Column] is what one column's values have been so far, [Columns] those of a table. They are observed in any order and in
// any pieces, which [Column.Join] puts together. A value is looked at in value.go, which asks number.go, double.go, moment.go,
// uuid.go and jsonb.go; set.go holds what there is to fit, and rows.go walks through rows in the text format of COPY, with
// short.go for most of their numbers.
package types
