//go:build linux && cgo && !noxla

// Large blocks of memory, kept when they are freed and laid on huge pages. Functions of the C library are defined here for the whole
// process; what is not large goes on to glibc's own.

#include <features.h>
#ifdef __GLIBC__

#define _GNU_SOURCE
#include "blocks.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum {
	PAGE = 2 << 20,  // a huge page of x86-64 and of ARM with pages of 4 KiB
	LARGE = 4 << 20, // from here on a block is large: rounding to pages adds half at most
	BLOCKS = 4096,   // beyond so many at a time, the rest is glibc's
};

typedef struct {
	char *start; // a multiple of PAGE, as hardly any other pointer is
	size_t size;
	uint64_t freed; // when; 0: it is in use
} Block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Block blocks[BLOCKS];
static int count;
static uint64_t clock_;
static Held held;

// What is not large is kept by glibc: that its arenas take and give back little at a time costs a step more than the memory is worth.
// Settings in the environment stand.
__attribute__((constructor)) static void keep_small_memory(void) {
	if (getenv("GLIBC_TUNABLES") || getenv("MALLOC_ARENA_MAX") || getenv("MALLOC_MMAP_THRESHOLD_")) {
		return;
	}
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// release gives block i back to the system; the last one takes its place in the table.
static void release(int i) {
	held.kept -= blocks[i].size;
	munmap(blocks[i].start, blocks[i].size);
	blocks[i] = blocks[--count];
}

// make_room lets go of what has been kept longest, until so many more bytes in use stay within the most that ever were.
static void make_room(size_t size) {
	size_t limit = held.live + size > held.peak ? held.live + size : held.peak;
	while (held.kept > 0 && held.live + held.kept + size > limit) {
		int oldest = -1;
		for (int i = 0; i < count; i++) {
			if (blocks[i].freed && (oldest < 0 || blocks[i].freed < blocks[oldest].freed)) {
				oldest = i;
			}
		}
		release(oldest);
	}
}

// fitting is the smallest kept block of this size or an eighth more, −1 where there is none.
static int fitting(size_t size) {
	int best = -1;
	for (int i = 0; i < count; i++) {
		if (blocks[i].freed && blocks[i].size >= size && blocks[i].size <= size + size / 8 &&
		    (best < 0 || blocks[i].size < blocks[best].size)) {
			best = i;
		}
	}
	return best;
}

// map takes a new block from the system, −1 where it gives none.
static int map(size_t size) {
	if (count == BLOCKS) {
		return -1;
	}
	char *got = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (got == MAP_FAILED) {
		return -1;
	}
	size_t before = -(uintptr_t)got % PAGE;
	if (before > 0) {
		munmap(got, before);
	}
	munmap(got + before + size, PAGE - before);
	madvise(got + before, size, MADV_HUGEPAGE); // where the kernel has none, small pages do
	blocks[count] = (Block){got + before, size, 1};
	held.kept += size;
	return count++;
}

// take is a block of at least so many bytes, NULL where none is to be had.
static void *take(size_t size) {
	size = (size + PAGE - 1) / PAGE * PAGE;
	pthread_mutex_lock(&lock);
	int i = fitting(size);
	if (i < 0) {
		make_room(size);
		i = map(size);
	}
	void *start = NULL;
	if (i >= 0) {
		start = blocks[i].start;
		blocks[i].freed = 0;
		held.live += blocks[i].size;
		held.kept -= blocks[i].size;
		held.peak = held.live > held.peak ? held.live : held.peak;
	}
	pthread_mutex_unlock(&lock);
	return start;
}

// find is the block in use that begins at p, −1 where p is none. The lock is held.
static int find(const void *p) {
	for (int i = 0; i < count; i++) {
		if (blocks[i].start == p) {
			return i;
		}
	}
	return -1;
}

// give_back keeps the block that begins at p; 0 where p is none.
static int give_back(void *p) {
	if ((uintptr_t)p % PAGE != 0 || p == NULL) {
		return 0;
	}
	pthread_mutex_lock(&lock);
	int i = find(p);
	if (i >= 0) {
		blocks[i].freed = ++clock_;
		held.live -= blocks[i].size;
		held.kept += blocks[i].size;
		make_room(0);
	}
	pthread_mutex_unlock(&lock);
	return i >= 0;
}

// size_of is the size of the block that begins at p, 0 where p is none.
static size_t size_of(const void *p) {
	if ((uintptr_t)p % PAGE != 0 || p == NULL) {
		return 0;
	}
	pthread_mutex_lock(&lock);
	int i = find(p);
	size_t size = i >= 0 ? blocks[i].size : 0;
	pthread_mutex_unlock(&lock);
	return size;
}

Held blocks_held(void) {
	pthread_mutex_lock(&lock);
	Held now = held;
	pthread_mutex_unlock(&lock);
	return now;
}

void blocks_drop(void) {
	pthread_mutex_lock(&lock);
	for (int i = count - 1; i >= 0; i--) {
		if (blocks[i].freed) {
			release(i);
		}
	}
	pthread_mutex_unlock(&lock);
}

static void *aligned(size_t alignment, size_t size) {
	void *p = size >= LARGE && alignment <= PAGE ? take(size) : NULL;
	return p ? p : __libc_memalign(alignment, size);
}

void *malloc(size_t size) { return size >= LARGE ? aligned(16, size) : __libc_malloc(size); }

void *calloc(size_t n, size_t size) { return __libc_calloc(n, size); }

void free(void *p) {
	if (!give_back(p)) {
		int before = errno;
		__libc_free(p);
		errno = before;
	}
}

void *realloc(void *p, size_t size) {
	size_t had = size_of(p);
	if (had == 0) {
		return __libc_realloc(p, size);
	}
	void *moved = malloc(size);
	if (moved) {
		memcpy(moved, p, had < size ? had : size);
		free(p);
	}
	return moved;
}

void *memalign(size_t alignment, size_t size) { return aligned(alignment, size); }

void *aligned_alloc(size_t alignment, size_t size) { return aligned(alignment, size); }

int posix_memalign(void **p, size_t alignment, size_t size) {
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) {
		return EINVAL;
	}
	void *got = aligned(alignment, size);
	if (!got) {
		return ENOMEM;
	}
	*p = got;
	return 0;
}

void *valloc(size_t size) { return aligned(4096, size); }

void *pvalloc(size_t size) { return aligned(4096, (size + 4095) / 4096 * 4096); }

size_t malloc_usable_size(void *p) {
	static size_t (*real)(void *);
	size_t size = size_of(p);
	if (size > 0) {
		return size;
	}
	if (!real) {
		real = (size_t (*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
	}
	return real(p);
}

#endif
