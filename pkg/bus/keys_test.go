package bus_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	"sluice/pkg/bus"
)

func newKey(t testing.TB, keys *bus.Keys, name string, at time.Time) apikey.Key {
	t.Helper()
	k, _ := apikey.New(apikey.Key{Name: name, Scopes: []apikey.Scope{apikey.Read}, CreatedAt: at.UTC()})
	if err := keys.Put(testenv.Context(t), k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeysAreStoredAndRemoved(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	keys, now := n.Bus("setup").Keys, time.Now()
	if all, err := keys.List(ctx); err != nil || len(all) != 0 {
		t.Fatalf("of an empty bucket: %v, %v", all, err)
	}
	second, first := newKey(t, keys, "second", now), newKey(t, keys, "first", now.Add(-time.Minute))
	if err := keys.Put(ctx, first); !errors.Is(err, bus.ErrKeyExists) {
		t.Errorf("storing an id again: %v", err)
	}
	if all, err := keys.List(ctx); err != nil || !reflect.DeepEqual(all, []apikey.Key{first, second}) {
		t.Errorf("listed are %+v, %v", all, err)
	}
	if err := keys.Delete(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{first.ID, "00000000", "*", ">", "", "a b"} {
		if err := keys.Delete(ctx, id); !errors.Is(err, bus.ErrKeyNotFound) {
			t.Errorf("removing %q, which is not there: %v", id, err)
		}
	}
	if all, err := keys.List(ctx); err != nil || !reflect.DeepEqual(all, []apikey.Key{second}) {
		t.Errorf("listed are %+v, %v", all, err)
	}
}

// TestKeysAreWatched holds that a watch outlives the server, and takes the bucket as it then is.
func TestKeysAreWatched(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	told := make(chan []string, 16)
	expect := func(ids ...string) {
		t.Helper()
		slices.Sort(ids)
		for {
			select {
			case got := <-told:
				if slices.Equal(got, ids) {
					return
				}
			case <-ctx.Done():
				t.Fatalf("never told of %v", ids)
			}
		}
	}
	_, err := b.Keys.Watch(ctx, func(all map[string]apikey.Key) { told <- slices.Sorted(maps.Keys(all)) })
	if err != nil {
		t.Fatal(err)
	}
	expect()
	first, second := newKey(t, b.Keys, "first", time.Now()), newKey(t, b.Keys, "second", time.Now())
	expect(first.ID, second.ID)
	if err := b.Keys.Delete(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	expect(second.ID)
	kv, err := openJetStream(t, b).KeyValue(ctx, bus.KeysBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(ctx, second.ID, []byte("no JSON")); err != nil {
		t.Fatal(err)
	}
	expect()

	lost := b.Conn.StatusChanged(nats.RECONNECTING)
	n.Stop()
	<-lost
	n.Start()
	other := n.Bus("setup")
	if err := removeStream("KV_keys")(ctx, openJetStream(t, other)); err != nil {
		t.Fatal(err)
	}
	if err := bus.Setup(ctx, other.Conn, 1); err != nil {
		t.Fatal(err)
	}
	third := newKey(t, other.Keys, "third", time.Now())
	expect(third.ID)
}

func TestKeysThatAreNotSetUp(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	keys := bus.NewKeys(n.Connect("api"))
	if _, err := keys.List(ctx); !errors.Is(err, bus.ErrNotSetUp) {
		t.Errorf("listing: %v", err)
	}
	if err := keys.Put(ctx, apikey.Key{ID: "00000000"}); !errors.Is(err, bus.ErrNotSetUp) {
		t.Errorf("storing: %v", err)
	}
}
