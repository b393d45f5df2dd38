package api

import (
	"context"
	"errors"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
)

// newKeyedEnv runs an API that asks for keys, with a status service beside it.
func newKeyedEnv(t testing.TB) (*env, *statusDouble) {
	t.Helper()
	e := newEnv(t)
	double := e.playStatus(t)
	e.holdKeys(t)
	return e, double
}

// holdKeys has the API ask for keys.
func (e *env) holdKeys(t testing.TB) {
	t.Helper()
	e.api.config.RequireKeys = true
	ctx, cancel := context.WithCancel(testenv.Context(t))
	done := e.api.holdKeys(ctx)
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-e.api.keys.Read():
	case <-ctx.Done():
		t.Fatal("the keys are never read")
	}
}

// newKey makes a key, waits until the API knows it, and returns the header that it goes into.
func (e *env) newKey(t testing.TB, wanted apikey.Key) (k apikey.Key, header string) {
	t.Helper()
	k, text := apikey.New(wanted)
	if err := e.bus.Keys.Put(testenv.Context(t), k); err != nil {
		t.Fatal(err)
	}
	e.heldBy(t, k.ID)
	return k, isBearer + text
}

const isBearer = "Authorization: Bearer "

// heldBy waits until the API knows a key.
func (e *env) heldBy(t testing.TB, id string) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "the key is known", func() error {
		if e.api.keys.Holder(id) == nil {
			return errors.New("it is not")
		}
		return nil
	})
}

// good is a key that is good for everything.
func good() apikey.Key { return apikey.Key{Name: "good", Scopes: apikey.Scopes(), CreatedAt: noon} }
