package ingester

import "time"

// checkpointTime is how long a load may go on when the service is shut down, to commit what it has read.
const checkpointTime = time.Second

// drain ends the loading since the service is shut down. One that is copying is given the time to commit what it has read.
func (a *attempt) drain() {
	close(a.draining)
	if a.copying.Load() {
		select {
		case <-a.loaded:
		case <-time.After(checkpointTime):
		}
	}
	a.owner.stop(errDraining)
}

func (a *attempt) isDraining() bool {
	select {
	case <-a.draining:
		return true
	default:
		return false
	}
}
