package compilecache

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// What the environment says of the cache.
const (
	Variable      = "MMILN_CACHE"    // a folder, or "off"
	LimitVariable = "MMILN_CACHE_GB" // how much is kept, in gigabytes
)

const defaultLimit = 2e9

// Default opens the cache of the user's environment: the folder that MMILN_CACHE names, else mmiln/xla in the user's cache
// folder, of at most MMILN_CACHE_GB gigabytes, else 2. It is nil where MMILN_CACHE is "off".
func Default() (*Cache, error) {
	dir := os.Getenv(Variable)
	if dir == "off" {
		return nil, nil
	}
	limit, err := limit()
	if err != nil {
		return nil, err
	}
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no folder to keep compiled programs in: %w; %s can name one, or be off", err, Variable)
		}
		dir = filepath.Join(base, "mmiln", "xla")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	return Open(dir, limit)
}

func limit() (int64, error) {
	text := os.Getenv(LimitVariable)
	if text == "" {
		return defaultLimit, nil
	}
	gigabytes, err := strconv.ParseFloat(text, 64)
	if err != nil || !(gigabytes > 0 && gigabytes < 1e6) {
		return 0, fmt.Errorf("%s is %q; it must be a number of gigabytes, such as 0.5", LimitVariable, text)
	}
	return int64(gigabytes * 1e9), nil
}
