package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"unsafe"
)

// Array is an array in a file, mapped into memory. It must not be overwritten in place while it is in use. The mapping ends
// with the last reference to the Array. Safe for concurrent use.
type Array struct {
	Header
	elements []byte
}

// Open maps a file and checks its header against its size. No element is read.
func Open(path string) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, begin, size, err := readHeader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	mapped, err := mapFile(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be mapped into memory: %w", path, err)
	}
	a := &Array{Header: h, elements: mapped[begin:]}
	runtime.AddCleanup(a, unmap, mapped)
	return a, nil
}

func readHeader(f *os.File) (h Header, begin int, size int64, err error) {
	stat, err := f.Stat()
	if err != nil {
		return h, 0, 0, err
	}
	if !stat.Mode().IsRegular() {
		return h, 0, 0, fmt.Errorf("it is not a regular file; name an .npy file")
	}
	start, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil {
		return h, 0, 0, err
	}
	h, begin, err = parse(start, stat.Size())
	return h, begin, stat.Size(), err
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.elements) / a.itemSize() }

// Floats copies elements from index at on into dst; they must exist and be [Float32] or [Float64].
func (a *Array) Floats(dst []float32, at int) {
	switch a.Type {
	case Float32:
		a.copy32(bytesOf(dst), at)
		swap(dst)
	case Float64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(a.elements[8*(at+i):])))
		}
	default:
		panic("npy: Floats of an array of " + a.Type)
	}
	runtime.KeepAlive(a)
}

// Ints copies elements from index at on into dst; they must exist and be [Int32].
func (a *Array) Ints(dst []int32, at int) {
	if a.Type != Int32 {
		panic("npy: Ints of an array of " + a.Type)
	}
	a.copy32(bytesOf(dst), at)
	swap(dst)
	runtime.KeepAlive(a)
}

func (a *Array) copy32(dst []byte, at int) { copy(dst, a.elements[4*at:4*at+len(dst)]) }

// bytesOf is v's memory.
func bytesOf[E int32 | float32](v []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// swap turns what was copied from a little-endian file into the machine's own order; nearly everywhere they are the same.
func swap[E int32 | float32](v []E) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return
	}
	b := bytesOf(v)
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.LittleEndian.Uint32(b[i:]))
	}
}
