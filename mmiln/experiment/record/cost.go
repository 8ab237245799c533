package record

import "time"

// Cost is what a run took.
type Cost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	WallSeconds float64 `json:"wall_seconds"`
	PeakRSSMB   float64 `json:"peak_rss_mb"` // most memory that the process ever held, in units of 2²⁰ bytes
}

var started = time.Now()

// Usage is what this process has used since it started. Where the system does not count, the Go runtime's own estimate
// stands in for CPU time and memory, and knows nothing of what C libraries use.
func Usage() Cost {
	cpu, peak := used()
	return Cost{CPUSeconds: cpu, WallSeconds: time.Since(started).Seconds(), PeakRSSMB: peak / (1 << 20)}
}

// since is what was used after earlier. The peak cannot be told apart and is the process's.
func (c Cost) since(earlier Cost) Cost {
	return Cost{c.CPUSeconds - earlier.CPUSeconds, c.WallSeconds - earlier.WallSeconds, c.PeakRSSMB}
}

// plus joins the costs of two processes, one after the other.
func (c Cost) plus(other Cost) Cost {
	return Cost{c.CPUSeconds + other.CPUSeconds, c.WallSeconds + other.WallSeconds, max(c.PeakRSSMB, other.PeakRSSMB)}
}
