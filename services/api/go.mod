module sluice/services/api

go 1.26.0
