package localpg

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestFailedStartSaysWhatPostgresSaid(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	for name, test := range map[string]struct{ setting, value, want string }{
		"bad value":    {"shared_buffers", "nonsense", `FATAL:  invalid value for parameter "shared_buffers"`},
		"unknown name": {"no_such_setting", "1", `FATAL:  unrecognized configuration parameter "no_such_setting"`},
		"missing file": {"shared_preload_libraries", "nowhere", `FATAL:  could not access file "nowhere"`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Settings[test.setting] = test.value
			_, err := Start(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Start: %v, want %s", err, test.want)
			}
			delete(cfg.Settings, test.setting)
			start(t, cfg) // a failed start holds nothing
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	cfg.Settings["search_path"] = `"a b", public`
	s := start(t, cfg)
	if got := query(t, s.SocketURL("postgres"), "SHOW search_path"); got != cfg.Settings["search_path"] {
		t.Errorf("search_path is %s", got)
	}
}

func TestRefusedConfigs(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"Dir":              {},
		"70000":            {Dir: "x", Port: 70000},
		"log_min_messages": {Dir: "x", Settings: map[string]string{"log_min_messages": "panic"}},
	} {
		if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start: %v, want %s", err, want)
		}
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	_, err := Start(t.Context(), cfg)
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.Dir != cfg.Dir || inUse.PID != os.Getpid() {
		t.Fatalf("second Start: %v", err)
	}
	if !strings.Contains(err.Error(), cfg.Dir) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("the error names neither directory nor process: %v", err)
	}
	query(t, s.SocketURL("postgres"), "SELECT 1")
	stop(t, s)
	start(t, cfg)
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	cfg := throwaway(t, openDir(t))
	cfg.Port = listener.Addr().(*net.TCPAddr).Port

	check := func(err error) {
		t.Helper()
		var inUse *PortInUseError
		if !errors.As(err, &inUse) || inUse.Addr != listener.Addr().String() || !strings.Contains(err.Error(), inUse.Addr) {
			t.Errorf("got %v", err)
		}
	}
	_, err = Start(t.Context(), cfg)
	check(err)
	if _, err := os.Stat(filepath.Join(cfg.Dir, "pgdata")); err == nil {
		t.Error("a cluster was made before the port was looked at")
	}

	// The port is taken between our look at it and the server's.
	cfg, err = cfg.checked()
	if err != nil {
		t.Fatal(err)
	}
	other := cfg
	other.Port = 0
	stop(t, start(t, other))
	h, err := locate(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	check((&Server{home: h, port: cfg.Port}).launchOn(t.Context(), cfg, binaries(t)))
}

func TestChosenPortIsUsed(t *testing.T) {
	t.Parallel()
	port, err := choosePort(0)
	if err != nil {
		t.Fatal(err)
	}
	cfg := throwaway(t, openDir(t))
	cfg.Port = port
	s := start(t, cfg)
	if !strings.Contains(s.URL("postgres"), "@"+tcpAddr(port)+"/postgres") {
		t.Errorf("URL is not on port %d", port)
	}
}

func TestSocketOfALongOrStrangeDirectory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sub  string
		away bool
	}{
		"long":    {strings.Repeat("a", 120), true},
		"comma":   {"a,b", true},
		"strange": {`a b"c'd%e@f`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, throwaway(t, filepath.Join(openDir(t), test.sub)))
			query(t, s.SocketURL("postgres"), "SELECT 1")
			query(t, s.URL("postgres"), "SELECT 1")
			if away := !strings.HasPrefix(s.socket, s.home.dir); away != test.away {
				t.Errorf("the socket is in %s", s.socket)
			}
			info, err := os.Stat(s.socket)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the socket's directory: %v, %v", info.Mode(), err)
			}
			stop(t, s)
			if _, err := os.Stat(s.socket); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket's directory is still there: %v", err)
			}
		})
	}
}
