//go:build cgo && !noxla

package device

/*
#include <malloc.h>
#include <stdlib.h>

// given is whether the environment has settings for the allocator; they stand.
static int given(void) {
	return getenv("GLIBC_TUNABLES") || getenv("MALLOC_ARENA_MAX") || getenv("MALLOC_MMAP_MAX_");
}

// keep_freed_memory tells glibc to keep what XLA frees. XLA on the CPU takes its temporary buffers anew in every execution; by
// default glibc gets large ones from the kernel, which clears each page again: a fifth to a third of a training step. It runs
// before any thread is there, since a thread's own arena would hand memory back too.
__attribute__((constructor)) static void keep_freed_memory(void) {
#ifdef __GLIBC__
	if (given()) {
		return;
	}
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}

// give_large_back lets blocks of 32 MB and more come from the kernel again, and go back to it when they are freed.
static void give_large_back(void) {
#ifdef __GLIBC__
	if (given()) {
		return;
	}
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_MMAP_MAX, 65536);
#endif
}

static void trim(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

const largeWeights = 256 << 20

// Trim gives freed memory back to the system once: what compiling took, a gigabyte for a large graph, is not needed again.
func Trim() { C.trim() }

// Fit fits the allocator to a model whose weights take so many bytes. For large ones, from 256 MB on, it no longer keeps blocks
// of 32 MB and more: between weights that move with every step they would lie about as holes, a quarter of a gigabyte for BERT-base,
// and the kernel's clearing of pages is small beside such a model's step.
func Fit(weights int) {
	if weights >= largeWeights {
		C.give_large_back()
	}
}
