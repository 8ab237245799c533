package device

import "runtime"

// Description is what this machine and this binary offer.
type Description struct {
	Backend  string   // what Open("auto") runs on, or why it does not
	Works    bool     // whether it runs
	Plugins  []Plugin // XLA plugins found, accelerators first
	Searched []string // folders looked in for them
	XLA      bool     // the binary can load plugins: built with cgo
	SIMD     bool     // the pure Go backend uses vector instructions
	Cores    int      // that Go may use at once
}

// Describe looks around, and opens the default backend to see that it works.
func Describe() Description {
	backend, note, err := Open("auto")
	if err != nil {
		note = err.Error()
	} else {
		backend.Finalize()
	}
	return Description{
		Backend: note, Works: err == nil, Plugins: Plugins(), Searched: SearchPath(),
		XLA: xlaLinked, SIMD: SIMD, Cores: runtime.GOMAXPROCS(0),
	}
}
