package daemon

import (
	"runtime/debug"
	"strings"
)

// shortRevision is how many digits of a revision are enough to find it.
const shortRevision = 12

// Version names what this program was built from: the version of its module, such as v1.2.0, else the revision, with
// "+dirty" behind it if files were changed since, else "devel". It is never empty.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return versionOf(info)
}

const devel = "devel"

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && !strings.Contains(v, devel) {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), shortRevision)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return devel
	}
	return revision + dirty
}
