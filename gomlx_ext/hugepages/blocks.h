#ifndef HUGEPAGES_BLOCKS_H
#define HUGEPAGES_BLOCKS_H

#include <stddef.h>

// What large blocks take, in bytes.
typedef struct {
	size_t live; // in use
	size_t kept; // given back, for the next one
	size_t peak; // most that was ever in use
} Held;

Held blocks_held(void);

// blocks_drop gives what is kept back to the system.
void blocks_drop(void);

#endif
