module sluice/test

go 1.26.0
