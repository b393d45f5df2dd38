package columntype

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // containers may have none

	"sluice/pkg/events"
)

// readZone checks the name of a time zone.
func (t *Type) readZone(stated events.ColumnType) (err error) {
	if t.zone, err = time.LoadLocation(stated.Zone); err != nil || stated.Zone == "Local" {
		return errors.New("must be the name of a time zone, such as Europe/Berlin or UTC")
	}
	return nil
}

// shifts are by how much clocks are set back at the end of summer, somewhere.
var shifts = []time.Duration{time.Hour, 30 * time.Minute, 2 * time.Hour}

// addZone adds to the moment in the room the offset from UTC that the column's zone has then. A moment that comes twice, when
// clocks are set back, is the later one, as with Postgres; one that never comes is unfit.
func (t *Type) addZone(m moment) ([]byte, Fit, string) {
	clock := func(at time.Time) [3]int { return [3]int{at.Day(), at.Hour(), at.Minute()} }
	at := time.Date(m.part[year], time.Month(m.part[month]), m.part[day], m.part[hour], m.part[minute], m.part[second], 0, t.zone)
	if clock(at) != [3]int{m.part[day], m.part[hour], m.part[minute]} {
		return nil, Unfit, "there is no such moment in " + t.zone.String() + ", as clocks are set forward then"
	}
	for _, shift := range shifts {
		if later := at.Add(shift); clock(later) == clock(at) {
			at = later
			break
		}
	}
	_, offset := at.Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	t.room = fmt.Appendf(t.room, "%c%02d:%02d", sign, offset/3600, offset/60%60)
	if offset%60 > 0 { // of times before there were zones
		t.room = fmt.Appendf(t.room, ":%02d", offset%60)
	}
	return t.room, Fits, ""
}
