package plugin

import (
	"crypto/sha256"
	"io"
	"os"
)

// hashLater begins to hash a file at once and returns where the SHA-256 can be had: a plugin has hundreds of megabytes, of which
// the first program's key is all that waits.
func hashLater(path string) func() ([]byte, error) {
	type result struct {
		sum []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		sum, err := hashFile(path)
		done <- result{sum, err}
	}()
	return func() ([]byte, error) {
		r := <-done
		done <- r
		return r.sum, r.err
	}
}

func hashFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
