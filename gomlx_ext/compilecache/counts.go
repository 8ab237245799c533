package compilecache

import "sync"

// Counts are what this process had compiled, and what it loaded instead.
type Counts struct {
	Compiled       int
	Loaded         int
	CompileSeconds float64
	LoadSeconds    float64
	Problem        string // the last reason why a program could not be kept or loaded; empty where there was none
}

var counted struct {
	sync.Mutex
	Counts
}

// Counted is what has been counted since the process began.
func Counted() Counts {
	counted.Lock()
	defer counted.Unlock()
	return counted.Counts
}

// Count changes the counts.
func Count(change func(*Counts)) {
	counted.Lock()
	defer counted.Unlock()
	change(&counted.Counts)
}
