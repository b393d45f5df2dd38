package daemon

import (
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	for want, info := range map[string]debug.BuildInfo{
		"v1.2.0":             {Main: debug.Module{Version: "v1.2.0"}, Settings: []debug.BuildSetting{revision}},
		"0123456789ab":       {Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{revision, clean}},
		"0123456789ab+dirty": {Settings: []debug.BuildSetting{dirty, revision}},
		"devel":              {Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{dirty}},
	} {
		if got := versionOf(&info); got != want {
			t.Errorf("%+v is version %q, want %q", info, got, want)
		}
	}
	if Version() == "" {
		t.Error("this program has no version")
	}
}
