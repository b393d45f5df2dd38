package testenv

import (
	"errors"
	"io"
	"net"
	"net/http"
)

// errLeft ends an answer for which nobody waits any more.
var errLeft = errors.New("the client has left")

// Call is a request that is being answered, byte for byte.
type Call struct {
	Request *http.Request
	conn    net.Conn
	left    chan struct{} // closed when the client, or the test, has ended the connection
}

// Write sends bytes as they are.
func (c *Call) Write(p []byte) (int, error) { return c.conn.Write(p) }

func (c *Call) watch(from io.Reader) {
	defer close(c.left)
	_, _ = io.Copy(io.Discard, from)
}

// reset makes the end of the connection a loss: what is under way is lost too.
func (c *Call) reset() error {
	conn := c.conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	if err := tcp.SetLinger(0); err != nil {
		return err
	}
	return tcp.Close()
}
