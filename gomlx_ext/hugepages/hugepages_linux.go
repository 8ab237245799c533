//go:build cgo && !noxla

package hugepages

/*
#cgo LDFLAGS: -ldl
#include <malloc.h>
#include "blocks.h"

static void trim(void) {
	blocks_drop();
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

func trim() { C.trim() }

func held() Held {
	now := C.blocks_held()
	return Held{Live: int64(now.live), Kept: int64(now.kept), Peak: int64(now.peak)}
}
