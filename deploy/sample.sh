#!/bin/sh
# Writes tripsdata.csv into a folder: 2,000 taxi trips that never took place, the same ones each time.
set -eu
awk '
function random(n) { seed = (seed * 16807) % 2147483647; return seed % n }
BEGIN {
	seed = 42; OFS = ","
	print "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,PULocationID,DOLocationID,payment_type,fare_amount,tip_amount,total_amount"
	for (i = 0; i < 2000; i++) {
		second = i * 40 + random(40)
		miles = (30 + random(900)) / 100
		fare = 3 + miles * 2.5
		tip = random(2) ? fare * (10 + random(20)) / 100 : 0
		print 1 + random(2), moment(second), moment(second + 60 + int(miles * 200) + random(600)), 1 + random(5), \
			sprintf("%.2f", miles), 1 + random(265), 1 + random(265), 1 + random(2), \
			sprintf("%.2f", fare), sprintf("%.2f", tip), sprintf("%.2f", fare + tip)
	}
}
function moment(s) {
	return sprintf("2024-01-%02d %02d:%02d:%02d", 1 + int(s / 86400), int(s / 3600) % 24, int(s / 60) % 60, s % 60)
}' >"$1/tripsdata.csv.part"
mv "$1/tripsdata.csv.part" "$1/tripsdata.csv"
