// Package npy reads and writes NumPy's .npy files whole or not at all: streamed when written, since the number of rows is often
// known only at the end, and memory-mapped when read. What a header claims is believed only as far as the file's size bears it out.
package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Element types that this package knows, as NumPy writes them.
const (
	Float32 = "<f4"
	Float64 = "<f8"
	Int32   = "<i4"
	Int64   = "<i8"
)

// HeaderSize is the size in bytes of the headers that this package writes. Readable ones may have any size up to maxHeader.
const HeaderSize = 128

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 14 // NumPy refuses more than 10,000 bytes
)

// Header says what an array holds.
type Header struct {
	Type  string // one of the constants above
	Shape []int  // row major
}

// itemSize is 0 for a type that is not known.
func (h Header) itemSize() int {
	return map[string]int{Float32: 4, Int32: 4, Float64: 8, Int64: 8}[h.Type]
}

// encode is HeaderSize bytes long, and for all but enormous shapes what numpy.save writes.
func (h Header) encode() []byte {
	dims := make([]string, len(h.Shape))
	for i, n := range h.Shape {
		dims[i] = strconv.Itoa(n)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", h.Type, shape)
	b := binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), HeaderSize-10)
	return fmt.Appendf(b, "%-*s\n", HeaderSize-11, dict)
}

// dict is the Python literal that numpy.save writes for a plain array; keys are always in this order.
var dict = regexp.MustCompile(`^\{ *'descr': *'([^']*)', *'fortran_order': *(True|False), *'shape': *\(([0-9, L]*)\),? *\} *\n?$`)

// parse reads the header at the start of a file of size bytes, of which b holds the first maxHeader or all. It returns where
// the elements begin. The elements that the header claims fill the rest of the file exactly.
func parse(b []byte, size int64) (h Header, begin int, err error) {
	if len(b) < 12 || string(b[:len(magic)]) != magic {
		return h, 0, fmt.Errorf("it is not an .npy file; write it with numpy.save")
	}
	begin, n := 10, int(binary.LittleEndian.Uint16(b[8:]))
	switch version := b[6]; version {
	case 1:
	case 2, 3:
		begin, n = 12, int(min(binary.LittleEndian.Uint32(b[8:]), maxHeader))
	default:
		return h, 0, fmt.Errorf("its .npy version is %d, and 1 to 3 are known; write it again with numpy.save", version)
	}
	if begin+n > len(b) {
		return h, 0, fmt.Errorf("its header of %d bytes is cut off or too long; write it again with numpy.save", n)
	}
	if h, err = parseDict(string(b[begin : begin+n])); err != nil {
		return h, 0, err
	}
	return h, begin + n, h.fills(size - int64(begin+n))
}

func parseDict(literal string) (h Header, err error) {
	match := dict.FindStringSubmatch(literal)
	if match == nil {
		return h, fmt.Errorf("its header %.80q is not that of a plain array; save a numeric array with numpy.save", literal)
	}
	h.Type = match[1]
	if h.itemSize() == 0 {
		return h, fmt.Errorf("its elements are %.20q; save array.astype(%q) instead", h.Type, Float32)
	}
	for dim := range strings.SplitSeq(match[3], ",") {
		dim = strings.TrimSuffix(strings.TrimSpace(dim), "L") // 73L is Python 2's
		if dim == "" {
			continue
		}
		n, err := strconv.Atoi(dim)
		if err != nil {
			return h, fmt.Errorf("its shape has a dimension of %.30q; write it again with numpy.save", dim)
		}
		h.Shape = append(h.Shape, n)
	}
	if match[2] == "True" && len(h.Shape) > 1 {
		return h, fmt.Errorf("it is in Fortran order; save numpy.ascontiguousarray(array) instead")
	}
	return h, nil
}

// fills is an error unless the array takes exactly so many bytes.
func (h Header) fills(bytes int64) error {
	total := int64(h.itemSize())
	for _, n := range h.Shape {
		if n > 0 && total > math.MaxInt64/int64(n) {
			return fmt.Errorf("its shape %v is larger than any file; write it again with numpy.save", h.Shape)
		}
		total *= int64(n)
	}
	if total != bytes {
		return fmt.Errorf("its shape %v needs %d bytes and %d follow the header; it is cut off or was not written to the end", h.Shape, total, bytes)
	}
	return nil
}
