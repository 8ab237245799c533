//go:build unix

package record

import (
	"runtime"
	"syscall"
	"time"
)

// used is the CPU time in seconds and the peak memory in bytes of this process, by getrusage.
func used() (cpu, peak float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	cpu = (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return cpu, float64(u.Maxrss) // bytes there, kilobytes elsewhere
	}
	return cpu, float64(u.Maxrss) * 1024
}
