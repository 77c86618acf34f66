package fleet

import "runtime/debug"

// stamped is the version that `make build` writes into the program; empty in any other build.
var stamped string

// Version is what the build says of itself.
func Version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return info.Main.Version + " " + s.Value
		}
	}
	return info.Main.Version
}
