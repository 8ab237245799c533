// Package hugepages keeps the large blocks of memory that C libraries take, and lays them on huge pages. Importing it is enough.
//
// XLA on CPUs takes its temporary buffers anew in every execution, a gigabyte for long sequences, and frees them after it. glibc
// gets such blocks from the kernel and hands them back, which clears and maps every page again: a quarter of a training step. Here
// blocks of 4 MiB and more are kept when they are freed, for the next block of their size, as long as what is in use and what is
// kept are together not more than ever was in use. On huge pages the processor finds them with fewer misses.
//
// This is done for the whole process, by functions of the C library that are defined anew, on Linux with glibc; elsewhere, without
// cgo and with the tag noxla the package does nothing.
package hugepages

// Held is how much memory large blocks take, in bytes.
type Held struct {
	Live int64 // in use
	Kept int64 // freed, for the next
	Peak int64 // most that was ever in use
}

// Usage tells what is held now.
func Usage() Held { return held() }

// Trim gives freed memory back to the system once, what is small too: what compiling took, a gigabyte for a large graph, is not
// needed again.
func Trim() { trim() }
