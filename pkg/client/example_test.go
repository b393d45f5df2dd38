package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"sluice/pkg/client"
)

func ExampleClient_Watch() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // stands for Sluice
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e","state":"succeeded","progress":{"rows":200000}}`)
	}))
	defer server.Close()

	sluice, err := client.New(server.URL, client.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	job, err := sluice.CreateJob(ctx, client.JobRequest{URL: new("https://example.org/trips.csv"), Table: new("trips")}, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	for now, err := range sluice.Watch(ctx, job.Value.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(now.Value.State, now.Value.Progress.Rows)
	}
	// Output: succeeded 200000
}

func ExampleProblem() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // stands for Sluice
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"type":"about:blank","title":"There is no such job","status":404,"code":"job_not_found"}`)
	}))
	defer server.Close()

	sluice, err := client.New(server.URL, client.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sluice.Job(context.Background(), "01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e")
	if p, ok := errors.AsType[*client.Problem](err); ok {
		fmt.Println(p.Code, p.Status)
	}
	fmt.Println(err)
	// Output:
	// job_not_found 404
	// There is no such job [job_not_found]
}
