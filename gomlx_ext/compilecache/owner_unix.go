//go:build unix

package compilecache

import (
	"io/fs"
	"os"
	"syscall"
)

// owned says whether a file belongs to the user.
func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(stat.Uid) == int64(os.Geteuid())
}
