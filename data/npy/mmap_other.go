//go:build !unix

package npy

import (
	"io"
	"os"
)

// mapFile reads the whole file where files cannot be mapped.
func mapFile(f *os.File, size int64) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, size), b)
	return b, err
}

func unmap([]byte) {}
