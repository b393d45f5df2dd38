package up

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

const (
	sampleRows   = 200_000
	sampleHeader = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID," +
		"store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount," +
		"improvement_surcharge,total_amount,congestion_surcharge\n"
)

// writeSample writes taxi trips that never took place, the same ones each time.
func writeSample(path string) error {
	f, err := os.Create(path + unfinished)
	if err != nil {
		return fmt.Errorf("creating it: %w", err)
	}
	defer func() { _ = os.Remove(path + unfinished) }() // gone already if all went well
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString(sampleHeader)    // errors stay with w until Flush
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // to be the same each time
	trips := sampleTrips{random: random, pickup: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	var row []byte
	for range sampleRows {
		row = trips.next(row[:0])
		_, _ = w.Write(row)
	}
	if err := w.Flush(); err != nil {
		_ = f.Close()
		return fmt.Errorf("filling it: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing it: %w", err)
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return fmt.Errorf("naming it: %w", err)
	}
	return nil
}

type sampleTrips struct {
	random *rand.Rand
	pickup time.Time
}

// next appends the row of a trip that begins a little after the one before. Amounts are in cents until they are written.
func (t *sampleTrips) next(row []byte) []byte {
	r := t.random
	t.pickup = t.pickup.Add(time.Duration(r.IntN(26)) * time.Second)
	hundredths := 30 + r.IntN(400) + r.IntN(400)*r.IntN(4) // of a mile
	dropoff := t.pickup.Add(time.Duration(60+hundredths*2+r.IntN(600)) * time.Second)
	fare := 300 + hundredths*250/100/50*50
	extra := []int{0, 50, 100, 250}[r.IntN(4)]
	tip, paid := 0, 1+r.IntN(2)
	if paid == 1 {
		tip = (fare + extra) * (10 + r.IntN(20)) / 100
	}
	tolls := 0
	if r.IntN(20) == 0 {
		tolls = 694
	}
	flag := "N"
	if r.IntN(150) == 0 {
		flag = "Y"
	}

	row = strconv.AppendInt(row, int64(1+r.IntN(2)), 10)
	row = t.pickup.AppendFormat(append(row, ','), time.DateTime)
	row = dropoff.AppendFormat(append(row, ','), time.DateTime)
	if r.IntN(40) > 0 { // some drivers do not count
		row = strconv.AppendInt(append(row, ','), int64(1+r.IntN(2)*r.IntN(5)), 10)
	} else {
		row = append(row, ',')
	}
	row = appendCents(row, hundredths)
	row = append(row, ",1,"...)
	row = append(row, flag...)
	row = strconv.AppendInt(append(row, ','), int64(1+r.IntN(265)), 10)
	row = strconv.AppendInt(append(row, ','), int64(1+r.IntN(265)), 10)
	row = strconv.AppendInt(append(row, ','), int64(paid), 10)
	for _, cents := range []int{fare, extra, 50, tip, tolls, 30, fare + extra + 50 + tip + tolls + 30 + 250, 250} {
		row = appendCents(row, cents)
	}
	return append(row, '\n')
}

// appendCents appends a comma and an amount, without zeros at its end, as the real data have it.
func appendCents(row []byte, cents int) []byte {
	row = strconv.AppendInt(append(row, ','), int64(cents/100), 10)
	switch rest := cents % 100; {
	case rest == 0:
	case rest%10 == 0:
		row = strconv.AppendInt(append(row, '.'), int64(rest/10), 10)
	default:
		row = append(row, '.', byte('0'+rest/10), byte('0'+rest%10))
	}
	return row
}
