// Package safetensors reads and writes tensors in the safetensors format: a length, a JSON header, and the values,
// little-endian and without holes (https://github.com/huggingface/safetensors, format section of its README).
//
// A file is input from elsewhere. Everything its header says is checked against the file before memory is set aside for it,
// and what does not fit is an error that names the tensor.
package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	prefixBytes = 8
	// maxHeader is the format's own limit on the header, in bytes.
	maxHeader = 100_000_000
)

// Tensor is a typed array: Data holds the product of Shape values of type DType, row-major, little-endian.
type Tensor struct {
	DType string // F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL C64 F8_E4M3 F8_E5M2 F8_E8M0
	Shape []int  // empty for a scalar
	Data  []byte
}

// File is the content of one safetensors file.
type File struct {
	Tensors  map[string]Tensor
	Metadata map[string]string
}

// ReadFile reads a safetensors file. Its header is checked against the file's size before its values are read.
func ReadFile(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer func() { _ = in.Close() }() // nothing was written
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("safetensors: %s is not a regular file", path)
	}
	file, err := read(in, info.Size())
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return file, nil
}

// Parse reads the content of a safetensors file. The tensors' Data are parts of content, not copies.
func Parse(content []byte) (*File, error) {
	file, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return file, nil
}

func parse(content []byte) (*File, error) {
	length, err := headerLength(content, int64(len(content)))
	if err != nil {
		return nil, err
	}
	values := content[prefixBytes+length:]
	head, err := parseHeader(content[prefixBytes:prefixBytes+length], int64(len(values)))
	if err != nil {
		return nil, err
	}
	return head.file(values), nil
}

// read is parse for content that is not in memory yet.
func read(in io.Reader, size int64) (*File, error) {
	head, rest, err := readHeader(in, size)
	if err != nil {
		return nil, err
	}
	values := make([]byte, rest)
	if _, err := io.ReadFull(in, values); err != nil {
		return nil, shrunk(err)
	}
	return head.file(values), nil
}

// readHeader reads the header of content of a known size; rest are the bytes of values that follow it.
func readHeader(in io.Reader, size int64) (head header, rest int64, err error) {
	prefix := make([]byte, min(size, prefixBytes))
	if _, err := io.ReadFull(in, prefix); err != nil {
		return header{}, 0, shrunk(err)
	}
	length, err := headerLength(prefix, size)
	if err != nil {
		return header{}, 0, err
	}
	content := make([]byte, length)
	if _, err := io.ReadFull(in, content); err != nil {
		return header{}, 0, shrunk(err)
	}
	rest = size - prefixBytes - length
	head, err = parseHeader(content, rest)
	return head, rest, err
}

func shrunk(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the file shrank while it was read")
	}
	return err
}

// headerLength reads the length in a file's first bytes and checks it against the file's size.
func headerLength(content []byte, size int64) (int64, error) {
	if size < prefixBytes {
		return 0, fmt.Errorf("%d bytes are too few for the length of a header (8): not a safetensors file, or cut off", size)
	}
	length := binary.LittleEndian.Uint64(content)
	if length > maxHeader {
		return 0, fmt.Errorf("a header of %d bytes exceeds the format's %d: not a safetensors file", length, maxHeader)
	}
	if int64(length) > size-prefixBytes {
		return 0, fmt.Errorf("a header of %d bytes exceeds the %d that follow its length: the file is cut off", length, size-prefixBytes)
	}
	return int64(length), nil
}
