package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
)

// Stream writes an array row by row. Its file is a valid array only after Close.
type Stream struct {
	Header    // Shape[0] is set by Close
	file      *os.File
	buffered  *bufio.Writer
	elements  int
	converted []byte
}

// Create begins a new file of [Float32] or [Int32] elements. Its rows have the given shape; none means one element each.
func Create(path, elementType string, row ...int) (*Stream, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	s := &Stream{Header: Header{elementType, append([]int{0}, row...)}, file: f, buffered: bufio.NewWriterSize(f, 1<<16)}
	_, _ = s.buffered.Write(s.encode()) // an error stays with the buffer and shows at Close
	return s, nil
}

// Floats appends elements of an array of [Float32].
func (s *Stream) Floats(values []float32) error { return s.write(values, len(values)) }

// Ints appends elements of an array of [Int32].
func (s *Stream) Ints(values []int32) error { return s.write(values, len(values)) }

func (s *Stream) write(values any, n int) (err error) {
	if s.converted, err = binary.Append(s.converted[:0], binary.LittleEndian, values); err != nil {
		return err
	}
	s.elements += n
	_, err = s.buffered.Write(s.converted)
	return err
}

// Close writes the header with the final shape and brings the file to disk. Elements that do not fill the last row are an error.
func (s *Stream) Close() error {
	defer s.file.Close()
	row := 1
	for _, n := range s.Shape[1:] {
		row *= n
	}
	if s.elements%row != 0 {
		return fmt.Errorf("%s: %d elements are not rows of %d", s.file.Name(), s.elements, row)
	}
	s.Shape[0] = s.elements / row
	if err := s.buffered.Flush(); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(s.encode(), 0); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	return s.file.Close()
}

// Abandon closes the file as it is.
func (s *Stream) Abandon() { _ = s.file.Close() }
