package localpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// cluster is a data directory that may be yet to come.
type cluster struct {
	data     string // where it is to be
	account  *account
	bins     Binaries
	template string // copied if given
	durable  bool
}

// create makes the data directory unless it exists. All is done beside it and renamed into place at the end, so that
// whatever interrupts us leaves either a whole cluster or none.
func (c cluster) create(ctx context.Context) error {
	c.sweep()
	version, err := dataVersion(c.data)
	if err != nil || version != 0 {
		return err
	}
	workshop, err := os.MkdirTemp(filepath.Dir(c.data), filepath.Base(c.data)+".new-")
	if err != nil {
		return fmt.Errorf("creating a Postgres cluster: %w", err)
	}
	defer func() { _ = os.RemoveAll(workshop) }()
	if err := c.account.own(workshop); err != nil {
		return fmt.Errorf("creating a Postgres cluster in %s: %w", workshop, err)
	}
	fresh := filepath.Join(workshop, "pgdata")
	if c.template != "" {
		err = copyTree(c.template, fresh, c.account)
	} else {
		err = c.initdb(ctx, workshop, fresh)
	}
	if err != nil {
		return err
	}
	return c.publish(ctx, fresh)
}

// sweep removes what interrupted calls left. A failure costs disk space only, so it isn't one.
func (c cluster) sweep() {
	leftovers, _ := filepath.Glob(c.data + ".new-*")
	for _, leftover := range leftovers {
		_ = os.RemoveAll(leftover)
	}
}

// publish gives the finished cluster its place. Its files reach the disk before its name does, and its name before
// anybody is told that a transaction was committed in it.
func (c cluster) publish(ctx context.Context, fresh string) error {
	if c.durable {
		if err := c.flush(ctx, fresh); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, c.data); err != nil {
		return fmt.Errorf("putting the new cluster in place: %w", err)
	}
	if !c.durable {
		return nil
	}
	return syncDir(filepath.Dir(c.data))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flushing the Postgres directory to disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flushing the Postgres directory to disk: %w", err)
	}
	return nil
}
