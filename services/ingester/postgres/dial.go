package postgres

import (
	"net"
	"time"
)

// deadAfter is how long a server may be silent, or not acknowledge what it was sent, until its connection is given up: a job
// whose worker waits for a machine that is gone would be running for ever.
const deadAfter = 35 * time.Second

// dialer makes connections that notice when the other side is gone.
func dialer() *net.Dialer {
	const idle, count = deadAfter - 20*time.Second, 4
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: idle, Interval: (deadAfter - idle) / count, Count: count},
		Control:         limitUnacknowledged,
	}
}
