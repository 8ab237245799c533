//go:build !linux || !cgo || noxla

package device

// Trim does nothing where XLA is not linked or the system's allocator does not keep freed memory.
func Trim() {}
