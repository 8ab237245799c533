//go:build cgo && !noxla

package device

/*
#include <malloc.h>
#include <stdlib.h>

// keep_freed_memory tells glibc to keep what XLA frees. XLA on the CPU takes its temporary buffers anew in every execution; by
// default glibc gets large ones from the kernel, which clears each page again: a fifth to a third of a training step. It runs
// before any thread is there, since a thread's own arena would hand memory back too. Settings in the environment stand.
__attribute__((constructor)) static void keep_freed_memory(void) {
#ifdef __GLIBC__
	if (getenv("GLIBC_TUNABLES") || getenv("MALLOC_ARENA_MAX") || getenv("MALLOC_MMAP_MAX_")) {
		return;
	}
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}

static void trim(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// Trim gives freed memory back to the system once: what compiling took, a gigabyte for a large graph, is not needed again.
func Trim() { C.trim() }
