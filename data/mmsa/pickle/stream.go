package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// stream reads the opcodes and jumps over what stays in the file. After an error, which is the first and remains, it reads
// zeros.
type stream struct {
	file     io.ReaderAt
	size     int64
	position int64
	buffered *bufio.Reader
	scratch  [8]byte
	err      error
}

func newStream(file io.ReaderAt, size int64) stream {
	return stream{file: file, size: size, buffered: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 16<<10)}
}

func (s *stream) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// advance notes that n bytes were read.
func (s *stream) advance(n int, err error) {
	s.position += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		s.fail("the file ends, at %d bytes, in the middle of a value; it was cut short: %s", s.size, again)
	} else if err != nil {
		s.fail("%w", err)
	}
}

func (s *stream) read(p []byte) { s.advance(io.ReadFull(s.buffered, p)) }

func (s *stream) opcode() byte {
	c, err := s.buffered.ReadByte()
	s.advance(1, err)
	return c
}

// uint reads a little-endian number of width bytes, at most 8.
func (s *stream) uint(width int) uint64 {
	s.scratch = [8]byte{}
	s.read(s.scratch[:width])
	return binary.LittleEndian.Uint64(s.scratch[:])
}

// length reads the length of what follows and checks that the file is that long.
func (s *stream) length(width int) int64 {
	n := s.uint(width)
	if left := s.size - s.position; n > math.MaxInt64 || int64(n) > left {
		s.fail("a value of %d bytes is announced where %d are left; the file was cut short or is no pickle: %s", n, left, again)
		return 0
	}
	return int64(n)
}

// cut moves past n bytes, which [stream.length] has checked, and returns them unread.
func (s *stream) cut(n int64) Bytes {
	cut := Bytes{source: s.file, offset: s.position, size: n}
	s.position += n
	if n <= int64(s.buffered.Buffered()) {
		_, _ = s.buffered.Discard(int(n)) // cannot fail: they are buffered
	} else {
		s.buffered.Reset(io.NewSectionReader(s.file, s.position, s.size-s.position))
	}
	return cut
}

// line reads a name up to its newline.
func (s *stream) line() string {
	const longest = 256
	name, err := s.buffered.ReadSlice('\n')
	if len(name) > longest {
		s.fail("a name is longer than %d bytes; %s", longest, remedy)
	}
	s.advance(len(name), err)
	return string(name[:min(max(len(name)-1, 0), longest)])
}
