package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// reply takes the answer to a request. It implements [http.ResponseWriter].
type reply struct {
	outer  http.ResponseWriter // whose limits are lifted for what takes longer
	header http.Header
	status int
	body   bytes.Buffer            // the answer, or the line that has begun
	line   func(line []byte) error // is passed each line of an answer that is a stream; nil if none is wanted
	flush  func() error            // is called when the stream is to be sent
}

// Header implements [http.ResponseWriter].
func (r *reply) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements [http.ResponseWriter].
func (r *reply) Write(data []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.body.Write(data)
	if r.line == nil || r.status != http.StatusOK {
		return len(data), nil
	}
	for {
		end := bytes.IndexByte(r.body.Bytes(), '\n')
		if end < 0 {
			return len(data), nil
		}
		if err := r.line(bytes.TrimSuffix(r.body.Next(end+1), []byte("\n"))); err != nil {
			return 0, err
		}
	}
}

// FlushError is what [http.ResponseController] calls to have sent what was written.
func (r *reply) FlushError() error {
	if r.WriteHeader(http.StatusOK); r.flush == nil || r.status != http.StatusOK {
		return nil
	}
	return r.flush()
}

// Unwrap is what [http.ResponseController] calls to set limits.
func (r *reply) Unwrap() http.ResponseWriter { return r.outer }

// ask sends a request and waits for the end of its answer. It fails if that is a problem.
func (h *Handler) ask(ctx context.Context, request *http.Request, answer *reply) (err error) {
	if from, ok := ctx.Value(outerKey{}).(outer); ok {
		answer.outer = from.w
	}
	answer.header = http.Header{}
	if err := h.serve(answer, request); err != nil {
		return err
	}
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		carryBack(answer.header, info.ResponseHeader())
	}
	switch {
	case answer.status >= http.StatusOK && answer.status < http.StatusMultipleChoices:
		return nil
	case ctx.Err() != nil:
		return gone(ctx.Err())
	}
	return h.refusal(answer)
}

// serve tells of an answer that was broken off in the way in which handlers do that.
func (h *Handler) serve(answer *reply, request *http.Request) (err error) {
	defer func() {
		cause := recover()
		if cause == http.ErrAbortHandler { //nolint:errorlint // a value that was recovered, by which net/http decides in the same way
			err = broken("the answer breaks off")
		} else if cause != nil {
			panic(cause) //nolint:forbidigo // it goes on
		}
	}()
	h.rest.ServeHTTP(answer, request)
	return nil
}

// call makes a call a request, and the request's answer that of the call.
func call[T proto.Message](ctx context.Context, h *Handler, message proto.Message, answer T) (T, error) {
	var none T
	r, o, err := h.request(ctx, message)
	if err != nil {
		return none, err
	}
	var got reply
	if err := h.ask(ctx, r, &got); err != nil {
		return none, err
	}
	data := bytes.TrimSpace(got.body.Bytes())
	if len(data) == 0 { // there is nothing to say
		return answer, nil
	}
	if o.field != "" {
		data = fmt.Appendf(nil, `{%q:%s}`, o.field, data)
	}
	if err := fill(answer.ProtoReflect(), data); err != nil {
		return none, h.mistake(err)
	}
	return answer, nil
}

// gone is the error for a caller that has gone, or whose time is up.
func gone(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return connect.NewError(connect.CodeDeadlineExceeded, err)
	}
	return connect.NewError(connect.CodeCanceled, err)
}
