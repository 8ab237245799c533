package safetensors

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Reader reads single tensors of a file, whose header it has checked.
type Reader struct {
	file   *os.File
	start  int64 // of the values
	header header
	at     map[string]int
}

// Open reads and checks the header of a safetensors file. Close it after use.
func Open(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	r := &Reader{file: file, at: map[string]int{}}
	if err := r.readHeader(); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return r, nil
}

func (r *Reader) readHeader() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	var rest int64
	r.header, rest, err = readHeader(r.file, info.Size())
	r.start = info.Size() - rest
	for i, e := range r.header.entries {
		r.at[e.name] = i
	}
	return err
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Names are the tensors', in the order of their values in the file.
func (r *Reader) Names() []string {
	names := make([]string, len(r.header.entries))
	for i, e := range r.header.entries {
		names[i] = e.name
	}
	return names
}

// Shape returns the type and the shape of a tensor; found is false where there is none of this name.
func (r *Reader) Shape(name string) (dtype string, shape []int, found bool) {
	i, found := r.at[name]
	if !found {
		return "", nil, false
	}
	return r.header.entries[i].dtype, r.header.entries[i].shape, true
}

// Tensor reads one tensor.
func (r *Reader) Tensor(name string) (Tensor, error) {
	i, found := r.at[name]
	if !found {
		return Tensor{}, fmt.Errorf("safetensors: %s: no tensor %q", r.file.Name(), name)
	}
	e := r.header.entries[i]
	data := make([]byte, e.end-e.begin)
	if _, err := io.ReadFull(io.NewSectionReader(r.file, r.start+e.begin, e.end-e.begin), data); err != nil {
		return Tensor{}, fmt.Errorf("safetensors: %s, tensor %q: %w", r.file.Name(), name, shrunk(err))
	}
	return Tensor{DType: e.dtype, Shape: e.shape, Data: data}, nil
}

// Float32 is [File.Float32] of one tensor.
func (r *Reader) Float32(name string) ([]float32, []int, error) {
	t, err := r.Tensor(name)
	if err != nil {
		return nil, nil, err
	}
	values, err := floats[float32](t)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: %s, tensor %q: %w", r.file.Name(), name, err)
	}
	return values, t.Shape, nil
}
