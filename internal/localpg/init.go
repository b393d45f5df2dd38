package localpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// passwordFile lies in the data directory, so that both come into being at once and are copied together.
const passwordFile = "sluice.password"

// Init makes a data directory at dir, to be given as Config.Template; its parent must exist. It does nothing if dir is
// one already, and processes that call it at the same time wait for the first. The data aren't flushed to disk.
func Init(ctx context.Context, bins Binaries, dir string) error {
	account, err := serverAccount()
	if err != nil {
		return err
	}
	parent, err := resolve(filepath.Dir(dir))
	if err != nil {
		return fmt.Errorf("resolving the template's directory: %w", err)
	}
	if err := (home{dir: parent, account: account}).reachable(); err != nil {
		return err
	}
	dir = filepath.Join(parent, filepath.Base(dir))
	lock, err := await(ctx, dir+".lock")
	if err != nil {
		return err
	}
	c := cluster{data: dir, account: account, bins: bins}
	return errors.Join(c.create(ctx), lock.release())
}

// initdb chooses locale C because every platform has it, it sorts by bytes at full speed, and its order can't change
// under an index when the system's C library is upgraded; the price is that lower() and upper() know ASCII only.
func (c cluster) initdb(ctx context.Context, workshop, fresh string) error {
	secret := filepath.Join(workshop, "password")
	if err := os.WriteFile(secret, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the database password: %w", err)
	}
	if err := c.account.own(secret); err != nil {
		return fmt.Errorf("writing the database password: %w", err)
	}
	err := c.runInitdb(ctx, workshop,
		"--pgdata="+fresh, "--username="+Superuser, "--pwfile="+secret,
		"--encoding=UTF8", "--locale=C", "--data-checksums",
		// Only our user gets into the socket's directory, but every local user reaches the TCP port.
		"--auth-local=trust", "--auth-host=scram-sha-256",
		"--no-sync", // publish does it, several times faster
	)
	if err != nil {
		return err
	}
	if err := os.Rename(secret, filepath.Join(fresh, passwordFile)); err != nil {
		return fmt.Errorf("keeping the database password: %w", err)
	}
	return nil
}

// runInitdb runs initdb until it or the context ends. If we die it is killed: nobody would finish its work.
func (c cluster) runInitdb(ctx context.Context, workDir string, args ...string) error {
	cmd := exec.Command(c.bins.Initdb(), args...)
	cmd.Dir = workDir
	cmd.Env = append(cleanEnv(), "TZ=UTC") // becomes the cluster's time zone, the same on every machine
	var output strings.Builder
	cmd.Stderr = &output
	child, err := startChild(cmd, syscall.SIGKILL, c.account)
	if err != nil {
		return fmt.Errorf("running initdb: %w", err)
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		_ = child.cmd.Process.Kill() // fails only if it has just ended
		<-child.done
		return fmt.Errorf("running initdb: %w", context.Cause(ctx))
	}
	if child.err != nil {
		return fmt.Errorf("running initdb: %w: %s", child.err, strings.TrimSpace(output.String()))
	}
	return nil
}
