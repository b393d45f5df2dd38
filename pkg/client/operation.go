package client

import "context"

// Health tells whether the API's process is alive, and its version.
func (c *Client) Health(ctx context.Context) (Answer[Health], error) {
	return answer[Health](c.calls.GetHealth(ctx))
}

// Readiness tells whether the API can serve, and what of that which it needs does not answer.
func (c *Client) Readiness(ctx context.Context) (Answer[Health], error) {
	return answer[Health](c.calls.GetReadiness(ctx))
}

// Queue tells how much there is to do.
func (c *Client) Queue(ctx context.Context) (Answer[Queue], error) {
	return answer[Queue](c.calls.GetQueue(ctx))
}

// Workers lists the ingesters that run.
func (c *Client) Workers(ctx context.Context) (Answer[WorkerList], error) {
	return answer[WorkerList](c.calls.ListWorkers(ctx))
}
