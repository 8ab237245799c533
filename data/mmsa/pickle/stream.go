package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// stream reads the opcodes and jumps over what stays in the file.
type stream struct {
	file     io.ReaderAt
	size     int64
	position int64
	buffered *bufio.Reader
	scratch  [8]byte
}

func newStream(file io.ReaderAt, size int64) stream {
	return stream{file: file, size: size, buffered: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 64<<10)}
}

func (s *stream) read(p []byte) error {
	n, err := io.ReadFull(s.buffered, p)
	s.position += int64(n)
	return s.ended(err)
}

func (s *stream) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends, at %d bytes, in the middle of a value; it was cut short: copy or download it again", s.size)
	}
	return err
}

func (s *stream) byte() (byte, error) {
	c, err := s.buffered.ReadByte()
	if err == nil {
		s.position++
	}
	return c, s.ended(err)
}

// uint reads a little-endian number of width bytes, at most 8.
func (s *stream) uint(width int) (uint64, error) {
	s.scratch = [8]byte{}
	err := s.read(s.scratch[:width])
	return binary.LittleEndian.Uint64(s.scratch[:]), err
}

// length reads the length of what follows and checks that the file is that long.
func (s *stream) length(width int) (int64, error) {
	n, err := s.uint(width)
	if err != nil {
		return 0, err
	}
	if left := s.size - s.position; n > math.MaxInt64 || int64(n) > left {
		return 0, fmt.Errorf("a value of %d bytes is announced where %d are left; the file was cut short or is no pickle: copy or download it again", n, left)
	}
	return int64(n), nil
}

// cut moves past n bytes, which [stream.length] has checked, and returns them unread.
func (s *stream) cut(n int64) Bytes {
	cut := Bytes{source: s.file, offset: s.position, size: n}
	s.position += n
	if n <= int64(s.buffered.Buffered()) {
		s.buffered.Discard(int(n)) // cannot fail: they are buffered
	} else {
		s.buffered.Reset(io.NewSectionReader(s.file, s.position, s.size-s.position))
	}
	return cut
}

// line reads a name up to its newline.
func (s *stream) line() (string, error) {
	const longest = 256
	name, err := s.buffered.ReadSlice('\n')
	s.position += int64(len(name))
	if len(name) > longest {
		return "", fmt.Errorf("a name is longer than %d bytes; %s", longest, remedy)
	}
	if err != nil {
		return "", s.ended(err)
	}
	return string(name[:len(name)-1]), nil
}
