package record

import (
	"time"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

// Cost is what a run took.
type Cost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	WallSeconds float64 `json:"wall_seconds"`
	PeakRSSMB   float64 `json:"peak_rss_mb"` // most memory that the process ever held, in units of 2²⁰ bytes

	// Programs that XLA compiled, and those that had been compiled before and were read from the disk.
	Compiled       int     `json:"programs_compiled"`
	CompileSeconds float64 `json:"compile_seconds"`
	Loaded         int     `json:"programs_loaded"`
	LoadSeconds    float64 `json:"load_seconds"`
}

var started = time.Now()

// Usage is what this process has used since it started. Where the system does not count, the Go runtime's own estimate
// stands in for CPU time and memory, and knows nothing of what C libraries use.
func Usage() Cost {
	cpu, peak := used()
	programs := compilecache.Counted()
	return Cost{
		CPUSeconds: cpu, WallSeconds: time.Since(started).Seconds(), PeakRSSMB: peak / (1 << 20),
		Compiled: programs.Compiled, CompileSeconds: programs.CompileSeconds, Loaded: programs.Loaded, LoadSeconds: programs.LoadSeconds,
	}
}

// since is what was used after earlier. The peak cannot be told apart and is the process's.
func (c Cost) since(earlier Cost) Cost {
	return Cost{
		CPUSeconds: c.CPUSeconds - earlier.CPUSeconds, WallSeconds: c.WallSeconds - earlier.WallSeconds, PeakRSSMB: c.PeakRSSMB,
		Compiled: c.Compiled - earlier.Compiled, CompileSeconds: c.CompileSeconds - earlier.CompileSeconds,
		Loaded: c.Loaded - earlier.Loaded, LoadSeconds: c.LoadSeconds - earlier.LoadSeconds,
	}
}

// plus joins the costs of two processes, one after the other.
func (c Cost) plus(other Cost) Cost {
	return Cost{
		CPUSeconds: c.CPUSeconds + other.CPUSeconds, WallSeconds: c.WallSeconds + other.WallSeconds,
		PeakRSSMB: max(c.PeakRSSMB, other.PeakRSSMB),
		Compiled:  c.Compiled + other.Compiled, CompileSeconds: c.CompileSeconds + other.CompileSeconds,
		Loaded: c.Loaded + other.Loaded, LoadSeconds: c.LoadSeconds + other.LoadSeconds,
	}
}
