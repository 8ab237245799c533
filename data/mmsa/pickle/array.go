package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// DType is the type of an array's elements.
type DType struct {
	Kind  byte // f float, i int, u uint, b bool, U string in UTF-32, S string of bytes, O objects
	Size  int  // bytes
	Order binary.ByteOrder
}

// String returns NumPy's name, as "float32" or "U225".
func (t DType) String() string {
	switch t.Kind {
	case 'f', 'i', 'u':
		return fmt.Sprintf("%s%d", map[byte]string{'f': "float", 'i': "int", 'u': "uint"}[t.Kind], 8*t.Size)
	case 'b':
		return "bool"
	case 'U':
		return fmt.Sprintf("U%d", t.Size/runeSize)
	case 'S':
		return fmt.Sprintf("S%d", t.Size)
	}
	return "object"
}

// Array is a NumPy array in C order. What it holds stays in the file, except for objects.
type Array struct {
	Type     DType
	Shape    []int // empty for a single value
	Items    []any // the elements of an array of objects
	contents Bytes
	node
}

// Count returns the number of elements.
func (a *Array) Count() int {
	count := 1
	for _, n := range a.Shape {
		count *= n
	}
	return count
}

// Raw reads the elements' bytes as they are in memory in Python, row major. There are none for an array of objects.
func (a *Array) Raw() io.Reader {
	if a.Type.Kind == 'O' {
		return strings.NewReader("")
	}
	return a.contents.open()
}

// Bytes are bytes that stay in the file.
type Bytes struct {
	source       io.ReaderAt
	offset, size int64
	latin1       bool // they are stored as a string of the characters with these codes
}

// mayHold tells whether these are n bytes, as far as that is known without reading: such a character takes one byte or two.
func (b *Bytes) mayHold(n int64) bool {
	return b.size == n || b.latin1 && b.size > n && b.size <= 2*n
}

func (b *Bytes) open() io.Reader {
	stored := io.NewSectionReader(b.source, b.offset, b.size)
	if b.latin1 {
		return &latin1{bufio.NewReaderSize(stored, int(min(b.size, 64<<10)))}
	}
	return stored
}

// latin1 turns characters in UTF-8 into bytes.
type latin1 struct{ stored *bufio.Reader }

func (l *latin1) Read(p []byte) (n int, err error) {
	for ; n < len(p); n++ {
		c, err := l.stored.ReadByte()
		if err != nil {
			return n, err
		}
		if c >= utf8.RuneSelf {
			next, err := l.stored.ReadByte()
			if err != nil || c&^1 != 0xc2 || next&0xc0 != 0x80 {
				return n, fmt.Errorf("what should be bytes holds characters beyond latin1; the file is damaged: %s", again)
			}
			c = c<<6 | next&0x3f
		}
		p[n] = c
	}
	return n, nil
}

// Rows reads an array of numbers from its first row to its last.
type Rows struct {
	array  *Array
	raw    io.Reader
	decode func([]byte) float64
	width  int // elements
	next   int
	buffer []byte
}

// Rows starts at the first row, the part of the array that has its first index.
func (a *Array) Rows() (*Rows, error) {
	r := &Rows{array: a, decode: a.Type.number(), width: 1}
	if r.decode == nil || len(a.Shape) == 0 {
		return nil, fmt.Errorf("%s has no rows of numbers", Kind(a))
	}
	for _, n := range a.Shape[1:] {
		r.width *= n
	}
	if r.width > maxRow {
		return nil, fmt.Errorf("a row of %s has more than %d numbers", Kind(a), maxRow)
	}
	r.raw = a.Raw()
	r.buffer = make([]byte, min(r.width, 8<<10)*a.Type.Size)
	return r, nil
}

// Next fills row with the next row's numbers: what follows the first index, row major. After the last row it returns io.EOF.
func (r *Rows) Next(row []float64) error {
	if len(row) != r.width {
		return fmt.Errorf("a row of %d numbers is read into %d", r.width, len(row))
	}
	if r.next == r.array.Shape[0] {
		return r.end()
	}
	r.next++
	size := r.array.Type.Size
	for len(row) > 0 {
		part := r.buffer[:min(len(r.buffer), len(row)*size)]
		if _, err := io.ReadFull(r.raw, part); err != nil {
			return cut(r.array, err)
		}
		for len(part) > 0 {
			row[0] = r.decode(part[:size])
			row, part = row[1:], part[size:]
		}
	}
	return nil
}

// end makes sure that bytes in latin1, whose number is only known now, were all used.
func (r *Rows) end() error {
	if n, err := r.raw.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return fmt.Errorf("%s has more bytes than it should; the file is damaged: %s", Kind(r.array), again)
	}
	return io.EOF
}

func cut(a *Array, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s has too few bytes; the file is damaged: %s", Kind(a), again)
	}
	return err
}

// number returns how to read an element as a number, nil where it is none.
func (t DType) number() func([]byte) float64 {
	order := t.Order
	switch fmt.Sprintf("%c%d", t.Kind, t.Size) {
	case "f2":
		return func(p []byte) float64 { return half(order.Uint16(p)) }
	case "f4":
		return func(p []byte) float64 { return float64(math.Float32frombits(order.Uint32(p))) }
	case "f8":
		return func(p []byte) float64 { return math.Float64frombits(order.Uint64(p)) }
	case "i1":
		return func(p []byte) float64 { return float64(int8(p[0])) }
	case "i2":
		return func(p []byte) float64 { return float64(int16(order.Uint16(p))) }
	case "i4":
		return func(p []byte) float64 { return float64(int32(order.Uint32(p))) }
	case "i8":
		return func(p []byte) float64 { return float64(int64(order.Uint64(p))) }
	case "u1", "b1":
		return func(p []byte) float64 { return float64(p[0]) }
	case "u2":
		return func(p []byte) float64 { return float64(order.Uint16(p)) }
	case "u4":
		return func(p []byte) float64 { return float64(order.Uint32(p)) }
	case "u8":
		return func(p []byte) float64 { return float64(order.Uint64(p)) }
	}
	return nil
}

// half is IEEE 754 binary16: sign, five bits of exponent, ten of fraction.
func half(bits uint16) float64 {
	sign := 1 - 2*float64(bits>>15)
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
