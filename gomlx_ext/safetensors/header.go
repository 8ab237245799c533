package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// metadataKey is the header's one key that names no tensor.
const metadataKey = "__metadata__"

// entry is a tensor as the header describes it.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

// header is a checked header: its entries lie side by side and cover the values from first byte to last.
type header struct {
	metadata map[string]string
	entries  []entry
}

func (h header) file(values []byte) *File {
	f := &File{Tensors: make(map[string]Tensor, len(h.entries)), Metadata: h.metadata}
	for _, e := range h.entries {
		f.Tensors[e.name] = Tensor{DType: e.dtype, Shape: e.shape, Data: values[e.begin:e.end:e.end]}
	}
	return f
}

func parseHeader(content []byte, size int64) (header, error) {
	if !utf8.Valid(content) {
		return header{}, errors.New("the header is not UTF-8")
	}
	members, err := object(content)
	if err != nil {
		return header{}, fmt.Errorf("the header: %w", err)
	}
	h := header{metadata: map[string]string{}}
	for _, m := range members {
		if m.name == metadataKey {
			h.metadata, err = parseMetadata(m.value)
		} else {
			err = h.add(m)
		}
		if err != nil {
			return header{}, err
		}
	}
	return h, h.checkLayout(size)
}

func (h *header) add(m member) error {
	e, err := parseEntry(m.value)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", m.name, err)
	}
	e.name = m.name
	h.entries = append(h.entries, e)
	return nil
}

// checkLayout sees to it that the entries cover size bytes, each once.
func (h header) checkLayout(size int64) error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := int64(0)
	for _, e := range h.entries {
		if e.end > size {
			return fmt.Errorf("tensor %q ends at byte %d of %d: the file is cut off", e.name, e.end, size)
		}
		if e.begin != at {
			return fmt.Errorf("tensor %q begins at byte %d where the one before ends at %d: overlap or hole", e.name, e.begin, at)
		}
		at = e.end
	}
	if at != size {
		return fmt.Errorf("%d bytes follow the last tensor", size-at)
	}
	return nil
}

func parseEntry(content []byte) (entry, error) {
	members, err := object(content)
	if err != nil {
		return entry{}, err
	}
	var e entry
	var offsets []int
	seen := 0
	for _, m := range members {
		switch m.name {
		case "dtype":
			e.dtype, err = parseString(m.value)
		case "shape":
			e.shape, err = parseInts(m.value)
		case "data_offsets":
			offsets, err = parseInts(m.value)
		default:
			err = errors.New("unknown field")
		}
		if err != nil {
			return entry{}, fmt.Errorf("%s: %w", m.name, err)
		}
		seen++
	}
	if seen != 3 {
		return entry{}, errors.New("dtype, shape and data_offsets are needed")
	}
	return e, e.place(offsets)
}

// place sets the entry's offsets after checking them against its shape and type.
func (e *entry) place(offsets []int) error {
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return fmt.Errorf("data_offsets %v are not a begin and an end", offsets)
	}
	size, err := byteSize(e.dtype, e.shape)
	if err != nil {
		return err
	}
	if offsets[1]-offsets[0] != size {
		return fmt.Errorf("%s %v takes %d bytes, but data_offsets give it %d", e.dtype, e.shape, size, offsets[1]-offsets[0])
	}
	e.begin, e.end = int64(offsets[0]), int64(offsets[1])
	return nil
}

// byteSize is how many bytes a tensor takes.
func byteSize(dtype string, shape []int) (int, error) {
	width, known := widths[dtype]
	if !known {
		return 0, fmt.Errorf("unknown dtype %q", dtype)
	}
	size := uint64(width)
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		high, low := bits.Mul64(size, uint64(dim))
		if high != 0 || low > maxInt {
			return 0, fmt.Errorf("shape %v overflows", shape)
		}
		size = low
	}
	return int(size), nil
}

const maxInt = uint64(int(^uint(0) >> 1))

// widths of the types, in bytes.
var widths = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4,
	"U64": 8, "I64": 8, "F64": 8, "C64": 8,
}

func parseMetadata(content []byte) (map[string]string, error) {
	members, err := object(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", metadataKey, err)
	}
	out := make(map[string]string, len(members))
	for _, m := range members {
		if out[m.name], err = parseString(m.value); err != nil {
			return nil, fmt.Errorf("%s, key %q: %w", metadataKey, m.name, err)
		}
	}
	return out, nil
}

// parseInts reads an array of non-negative integers; encoding/json alone would let null pass for 0.
func parseInts(content []byte) ([]int, error) {
	var values []*int
	if err := json.Unmarshal(content, &values); err != nil || values == nil {
		return nil, fmt.Errorf("%s is not an array of whole numbers", brief(content))
	}
	out := make([]int, len(values))
	for i, value := range values {
		if value == nil || *value < 0 {
			return nil, fmt.Errorf("%s is not an array of non-negative numbers", brief(content))
		}
		out[i] = *value
	}
	return out, nil
}

func parseString(content []byte) (string, error) {
	var value *string
	if err := json.Unmarshal(content, &value); err != nil || value == nil {
		return "", fmt.Errorf("%s is not a string", brief(content))
	}
	return *value, nil
}

// brief quotes the beginning of content for a message.
func brief(content []byte) string { return fmt.Sprintf("%.40q", content) }

// member is one name and value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// object splits a JSON object into its members, in order. Unlike a Go map it refuses a name given twice.
func object(content []byte) ([]member, error) {
	in := json.NewDecoder(bytes.NewReader(content))
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("%s is not a JSON object", brief(content))
	}
	var out []member
	seen := map[string]bool{}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return nil, cutOff(err)
		}
		m := member{name: name.(string)} // the decoder lets nothing but strings be names
		if seen[m.name] {
			return nil, fmt.Errorf("%q is given twice", m.name)
		}
		seen[m.name] = true
		if err := in.Decode(&m.value); err != nil {
			return nil, cutOff(err)
		}
		out = append(out, m)
	}
	if _, err := in.Token(); err != nil {
		return nil, cutOff(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return out, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("JSON ends too early")
	}
	return err
}
