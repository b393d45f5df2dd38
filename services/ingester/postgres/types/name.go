package types

// Written is the name under which Postgres lists a type that [Column.Type] has found (format_type; PostgreSQL manual, "Date/Time
// Types").
func Written(name string) string {
	switch name {
	case "time", "timestamp":
		return name + " without time zone"
	case "timestamptz":
		return "timestamp with time zone"
	}
	return name
}
