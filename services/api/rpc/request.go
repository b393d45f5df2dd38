package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// carried are the headers of a call that its request has, too: who asks, from where, and for which earlier call's sake.
func carried() []string {
	return []string{
		"Authorization", "Idempotency-Key", "Traceparent", "User-Agent", "Origin", "Sec-Fetch-Site", "X-Forwarded-For", "X-Real-Ip",
	}
}

// parameter is one in a path.
var parameter = regexp.MustCompile(`\{(\w+)\}`)

// request makes a call a request: of the message's fields, those that the path names go into it, and the rest becomes the
// body of a POST, or else the query.
func (h *Handler) request(ctx context.Context, message proto.Message) (*http.Request, operation, error) {
	from, ok := ctx.Value(outerKey{}).(outer)
	info, called := connect.CallInfoForHandlerContext(ctx)
	if !ok || !called {
		return nil, operation{}, h.mistake(errors.New("a call without its request"))
	}
	o, ok := operations()[info.Spec().Procedure]
	if !ok {
		return nil, o, h.mistake(fmt.Errorf("%s is no operation", info.Spec().Procedure))
	}
	stated, err := fields(message.ProtoReflect())
	if err != nil {
		return nil, o, err
	}
	path := parameter.ReplaceAllStringFunc(o.path, func(name string) string {
		name = name[1 : len(name)-1]
		value, _ := stated[name].(string)
		if delete(stated, name); value == "" {
			err = invalid(name, "must not be empty")
		}
		return url.PathEscape(value)
	})
	if err != nil {
		return nil, o, err
	}
	target, body := path+"?"+o.query, []byte{}
	if o.method != http.MethodPost {
		target += "&" + query(stated)
	} else if path == o.path { // what names a job in its path says all that there is to say
		if body, err = json.Marshal(stated); err != nil {
			return nil, o, h.mistake(err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, o.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, o, h.mistake(err)
	}
	r.Host, r.RemoteAddr, r.TLS, r.RequestURI = from.r.Host, from.r.RemoteAddr, from.r.TLS, r.URL.RequestURI()
	for _, name := range carried() {
		if values := from.r.Header.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if o.accept != "" {
		r.Header.Set("Accept", o.accept)
	}
	return r, o, nil
}

func query(stated map[string]any) string {
	values := url.Values{}
	for name, value := range stated {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, one := range list {
			values.Add(name, fmt.Sprint(one))
		}
	}
	return values.Encode()
}
