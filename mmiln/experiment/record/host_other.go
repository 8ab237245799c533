//go:build !linux

package record

// processor is not known here.
func processor() string { return "" }
