//go:build !linux

package record

// Processor is not known here.
func Processor() string { return "" }
