package types

// fitting is what a value fits. Of what is not among the types that are asked for, some may be missing.
func fitting(value []byte, asked set) set {
	if len(value) == 0 {
		return 0
	}
	switch c := value[0]; {
	case isDigit(c):
		if len(value) >= minClock {
			switch {
			case value[2] == ':':
				return timeOfDay(value)
			case value[4] == '-' && asked.holds(date|timestamp|timestamptz):
				if fits := moment(value); fits != 0 {
					return fits
				}
			}
			if len(value) == uuidSize && value[8] == '-' {
				return uuid(value)
			}
		}
		return number(value, asked)
	case c == '-':
		return number(value, asked)
	case c == '{' || c == '[':
		if asked.holds(jsonb) && isJSONB(value) {
			return jsonb
		}
		return 0
	}
	switch string(value) {
	case "true", "false":
		return boolean
	case "t", "f":
		return booleanShort
	}
	if len(value) == uuidSize {
		return uuid(value)
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }
