// Takes, grows and gives back blocks of all sizes by every function in several threads, and checks that each holds what was written
// into it until it is given back. Prints what is held at the end.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../blocks.h"

enum { THREADS = 4, ROUNDS = 3000, SLOTS = 24 };

typedef struct {
	unsigned char *p;
	size_t size;
	unsigned char mark;
} Slot;

static void fail(const char *what, size_t size) {
	printf("%s: %zu bytes\n", what, size);
	exit(1);
}

static unsigned random_(unsigned *state) { return *state = *state * 1664525u + 1013904223u, *state >> 8; }

// touch writes the mark at both ends and in the middle, which is enough to find blocks that overlap.
static void touch(Slot *s) { s->p[0] = s->p[s->size / 2] = s->p[s->size - 1] = s->mark; }

static void check(const Slot *s) {
	if (s->p[0] != s->mark || s->p[s->size / 2] != s->mark || s->p[s->size - 1] != s->mark) {
		fail("overwritten", s->size);
	}
	if (malloc_usable_size(s->p) < s->size) {
		fail("smaller than asked for", s->size);
	}
}

static void take(Slot *s, unsigned *state) {
	static const size_t alignments[] = {16, 64, 4096, 1 << 21, 1 << 22};
	size_t alignment = alignments[random_(state) % 5];
	s->size = random_(state) % 3 ? 1 + random_(state) % 5000 : (size_t)(1 + random_(state) % 12) << 20;
	s->mark = (unsigned char)(1 + random_(state) % 255);
	switch (random_(state) % 5) {
	case 0: s->p = malloc(s->size); alignment = 16; break;
	case 1:
		s->p = calloc(1, s->size), alignment = 16;
		if (s->p[0] || s->p[s->size - 1]) {
			fail("not cleared", s->size);
		}
		break;
	case 2: s->p = memalign(alignment, s->size); break;
	case 3: s->p = aligned_alloc(alignment, s->size); break;
	default:
		if (posix_memalign((void **)&s->p, alignment, s->size)) {
			fail("posix_memalign", s->size);
		}
	}
	if ((uintptr_t)s->p % alignment) {
		fail("not aligned", s->size);
	}
	touch(s);
}

static void grow(Slot *s, unsigned *state) {
	size_t size = random_(state) % 2 ? s->size + random_(state) % (9 << 20) : 1 + s->size / 2;
	s->p = realloc(s->p, size);
	if (s->p[0] != s->mark) {
		fail("lost in moving", size);
	}
	s->size = size;
	touch(s);
}

static void *work(void *seed) {
	unsigned state = (unsigned)(uintptr_t)seed;
	Slot slots[SLOTS] = {0};
	for (int round = 0; round < ROUNDS; round++) {
		Slot *s = &slots[random_(&state) % SLOTS];
		if (!s->p) {
			take(s, &state);
			continue;
		}
		check(s);
		if (random_(&state) % 3 == 0 && s->size < 64 << 20) {
			grow(s, &state);
			continue;
		}
		free(s->p);
		s->p = NULL;
		if (round % 500 == 0) {
			blocks_drop();
		}
	}
	for (int i = 0; i < SLOTS; i++) {
		free(slots[i].p);
	}
	return NULL;
}

int main(void) {
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1));
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	free(NULL);
	if (posix_memalign(&(void *){0}, 24, 8) != EINVAL) {
		fail("an alignment of 24", 8);
	}
	Held held = blocks_held();
	printf("live %zu kept %zu peak %zu\n", held.live, held.kept, held.peak);
	blocks_drop();
	printf("then %zu\n", blocks_held().kept);
	return held.live != 0 || held.kept > held.peak || held.peak == 0;
}
