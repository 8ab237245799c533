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
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends here, at %d bytes, in the middle of a value; it was cut short: copy or download it again", s.size)
	}
	return err
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

// skip moves past n bytes, which [stream.length] has checked, and returns the offset of the first.
func (s *stream) skip(n int64) (start int64) {
	start = s.position
	s.position += n
	if n <= int64(s.buffered.Buffered()) {
		s.buffered.Discard(int(n)) // cannot fail: they are buffered
	} else {
		s.buffered.Reset(io.NewSectionReader(s.file, s.position, s.size-s.position))
	}
	return start
}

// line reads a name up to its newline.
func (s *stream) line() (string, error) {
	const longest = 256
	var name []byte
	for len(name) < longest {
		c, err := s.uint(1)
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(name), nil
		}
		name = append(name, byte(c))
	}
	return "", fmt.Errorf("a name is longer than %d bytes; %s", longest, remedy)
}
