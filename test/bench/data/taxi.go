package data

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// taxiColumns are those of New York's yellow taxi trips, in lower case so that no way of loading has to change them.
func taxiColumns() []string {
	return []string{
		"vendorid", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "ratecodeid",
		"store_and_fwd_flag", "pulocationid", "dolocationid", "payment_type", "fare_amount", "extra", "mta_tax", "tip_amount",
		"tolls_amount", "improvement_surcharge", "total_amount", "congestion_surcharge",
	}
}

// taxiRows are short fields without quotes: numbers, times and a flag, some of them empty.
func taxiRows(r *rand.Rand) func([]byte) []byte {
	pickup := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return func(row []byte) []byte {
		pickup = pickup.Add(time.Duration(r.IntN(3)) * time.Second)
		distance := 30 + r.IntN(400) + r.IntN(400)*r.IntN(4) // in hundredths of a mile
		dropoff := pickup.Add(time.Duration(60+2*distance+r.IntN(600)) * time.Second)
		fare, extra, tip, tolls := 300+distance*5/2/50*50, pick(r, []int{0, 50, 100, 250}), 0, pick(r, []int{0, 0, 0, 0, 0, 694}) // in cents
		payment := 1 + r.IntN(2)
		if payment == 1 {
			tip = (fare + extra) * (10 + r.IntN(20)) / 100
		}
		row = strconv.AppendInt(row, int64(1+r.IntN(2)), 10)
		row = pickup.AppendFormat(append(row, ','), time.DateTime)
		row = dropoff.AppendFormat(append(row, ','), time.DateTime)
		row = append(row, ',')
		if r.IntN(40) > 0 { // some drivers do not count
			row = strconv.AppendInt(row, int64(1+r.IntN(2)*r.IntN(5)), 10)
		}
		row = appendHundredths(row, distance)
		row = append(row, pick(r, []string{",1,N", ",1,N", ",1,N", ",2,N", ",1,Y"})...)
		for _, n := range []int{1 + r.IntN(265), 1 + r.IntN(265), payment} {
			row = strconv.AppendInt(append(row, ','), int64(n), 10)
		}
		for _, cents := range []int{fare, extra, 50, tip, tolls, 100, fare + extra + 50 + tip + tolls + 100 + 250, 250} {
			row = appendHundredths(row, cents)
		}
		return append(row, '\n')
	}
}

// appendHundredths appends a comma and an amount with at least one decimal, as the real data have it.
func appendHundredths(row []byte, amount int) []byte {
	row = strconv.AppendInt(append(row, ','), int64(amount/100), 10)
	row = append(row, '.', byte('0'+amount%100/10))
	if last := amount % 10; last > 0 {
		row = append(row, byte('0'+last))
	}
	return row
}
