package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// serveFiles serves a folder on a free port of this machine until the returned function is called.
func serveFiles(dir string) (url string, end func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serving the files: %w", err)
	}
	folder := http.FileServer(http.Dir(dir))
	s := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/csv") // which not every machine knows by the name
			folder.ServeHTTP(w, r)
		}),
	}
	ended := make(chan struct{})
	go func() {
		_ = s.Serve(listener) // whoever it does not serve says so
		close(ended)
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = s.Close() // whoever still reads is about to be stopped as well
		<-ended
	}, nil
}
