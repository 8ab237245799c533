package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// global is a Python name.
type global struct {
	name string
	call func(args []any) (any, error) // nil where the name is only an argument
}

// globals are the few names that data is made with, and what is done in place of calling them.
var globals = map[string]func(args []any) (any, error){
	"numpy.ndarray":                       nil,
	"numpy.dtype":                         newDType,
	"numpy.core.multiarray._reconstruct":  reconstruct,
	"numpy._core.multiarray._reconstruct": reconstruct,
	"numpy.core.multiarray.scalar":        scalar,
	"numpy._core.multiarray.scalar":       scalar,
	"numpy.core.numeric._frombuffer":      fromBuffer,
	"numpy._core.numeric._frombuffer":     fromBuffer,
	"_codecs.encode":                      encode,
	"__builtin__.bytes":                   noBytes,
}

func (m *machine) global(module, name string) {
	full := module + "." + name
	call, ok := globals[full]
	if !ok {
		m.fail("the file asks for %.100q, which is not allowed and was not run; if you trust its source, %s", full, remedy)
	}
	m.push(&global{full, call})
}

func (m *machine) stackGlobal() {
	names := m.pop(2)
	module, ok := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok || !ok2 {
		m.fail("a name is %s and %s; the file is damaged: %s", Kind(names[0]), Kind(names[1]), again)
	}
	m.global(module, name)
}

func (m *machine) reduce() {
	operands := m.pop(2)
	callee, ok := operands[0].(*global)
	args, isTuple := operands[1].(*Tuple)
	if !ok || !isTuple || callee.call == nil {
		m.fail("%s is called with %s, which is not allowed and was not done; %s", Kind(operands[0]), Kind(operands[1]), remedy)
		return
	}
	result, err := callee.call(args.Items)
	if err != nil {
		m.fail("%s: %w; %s", callee.name, err, remedy)
	}
	m.push(result)
}

// build gives an array or a dtype its state.
func (m *machine) build() {
	popped := m.pop(1)[0]
	state, ok := popped.(*Tuple)
	object, buildable := m.top().(interface{ setState([]any) error })
	if !ok || !buildable {
		m.fail("%s is the state of %s, which is not allowed; %s", Kind(popped), Kind(m.top()), remedy)
		return
	}
	if err := object.setState(state.Items); err != nil {
		m.fail("%w; %s", err, remedy)
	}
}

func reconstruct(args []any) (any, error) {
	if len(args) == 3 {
		if class, ok := args[0].(*global); ok && class.name == "numpy.ndarray" {
			return &Array{}, nil
		}
	}
	return nil, errors.New("only plain numpy.ndarray can be made")
}

// encode is how protocol 2 writes bytes: as a string of the characters with these codes.
func encode(args []any) (any, error) {
	if len(args) == 2 && args[1] == "latin1" {
		switch s := args[0].(type) {
		case string:
			return &Bytes{source: strings.NewReader(s), size: int64(len(s)), latin1: true}, nil
		case *longString:
			return &Bytes{source: s.source, offset: s.offset, size: s.size, latin1: true}, nil
		}
	}
	return nil, errors.New("only a string in latin1 can be encoded")
}

// noBytes is bytes(), as protocol 2 writes the contents of an empty array.
func noBytes(args []any) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("only empty bytes can be made")
	}
	return &Bytes{source: strings.NewReader("")}, nil
}

// dtype is an array's type in the making.
type dtype struct {
	DType
	complete bool
}

// sizes of elements in bytes, by kind. Those of strings follow from their name.
var sizes = map[byte][]int{'f': {2, 4, 8}, 'i': {1, 2, 4, 8}, 'u': {1, 2, 4, 8}, 'b': {1}, 'O': {4, 8}}

// newDType reads the name that NumPy writes, as "f4" or "U225".
func newDType(args []any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a dtype has no name")
	}
	name, ok := args[0].(string)
	if !ok || name == "" {
		return nil, fmt.Errorf("a dtype is named %s", Kind(args[0]))
	}
	t := DType{Kind: name[0]}
	size, err := strconv.Atoi(name[1:])
	switch {
	case err == nil && slices.Contains(sizes[t.Kind], size) || t.Kind == 'S' && size > 0 && size <= maxString:
		t.Size = size
	case t.Kind == 'U' && size > 0 && size <= maxString/runeSize:
		t.Size = size * runeSize
	default:
		return nil, fmt.Errorf("dtype %.40q is not among f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 O U… S…", name)
	}
	return &dtype{DType: t}, nil
}

// setState takes (version, byte order, subarray, names, fields, element size, alignment, flags).
func (t *dtype) setState(state []any) error {
	if t.complete || len(state) != 8 {
		return fmt.Errorf("a dtype's state has %d parts", len(state))
	}
	if state[2] != nil || state[3] != nil || state[4] != nil {
		return errors.New("structured dtypes are not allowed")
	}
	if size := state[5]; size != int64(-1) && size != int64(t.Size) {
		return fmt.Errorf("a dtype of %d bytes has an element size of %s", t.Size, Kind(size))
	}
	switch state[1] {
	case "<", "|":
		t.Order = binary.LittleEndian
	case ">":
		t.Order = binary.BigEndian
	default:
		return fmt.Errorf("a dtype's byte order is %s", Kind(state[1]))
	}
	t.complete = true
	return nil
}

// setState takes (version, shape, dtype, Fortran order, bytes or list).
func (a *Array) setState(state []any) error {
	if a.Shape != nil || len(state) != 5 {
		return fmt.Errorf("an array's state has %d parts", len(state))
	}
	order := any("C")
	if state[3] != false {
		order = "F"
	}
	return a.set(state[4], state[2], state[1], order)
}

// fromBuffer is how protocol 5 writes an array: (bytes, dtype, shape, order).
func fromBuffer(args []any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("an array is made of %d parts", len(args))
	}
	a := &Array{}
	return a, a.set(args[0], args[1], args[2], args[3])
}

func (a *Array) set(contents, elements, shape, order any) error {
	t, ok := elements.(*dtype)
	if !ok || !t.complete {
		return fmt.Errorf("an array's dtype is %s", Kind(elements))
	}
	dims, count, err := dimensions(shape)
	if err != nil {
		return err
	}
	if order != "C" {
		return fmt.Errorf("an array of %v %v is in Fortran order: make it numpy.ascontiguousarray(array)", t.DType, dims)
	}
	a.Type = t.DType
	if list, ok := contents.(*List); ok && t.Kind == 'O' && int64(len(list.Items)) == count {
		a.Items = list.Items
	} else if b, ok := contents.(*Bytes); ok && t.Kind != 'O' && b.mayHold(count*int64(t.Size)) {
		a.contents = *b
	} else {
		return fmt.Errorf("an array of %v %v has %s", t.DType, dims, Kind(contents))
	}
	a.Shape = dims
	return nil
}

// dimensions checks a shape and returns the number of elements.
func dimensions(shape any) (dims []int, count int64, err error) {
	tuple, ok := shape.(*Tuple)
	if !ok || len(tuple.Items) > maxDimensions {
		return nil, 0, fmt.Errorf("an array's shape is %s", Kind(shape))
	}
	dims, count = []int{}, 1
	product := int64(1) // of what is not zero, so that any part of the shape can be multiplied
	for _, item := range tuple.Items {
		n, ok := item.(int64)
		if !ok || n < 0 || n > math.MaxInt64/maxString/product {
			return nil, 0, fmt.Errorf("an array has an impossible dimension: %v after %v", Kind(item), dims)
		}
		dims, count, product = append(dims, int(n)), count*n, product*max(n, 1)
	}
	return dims, count, nil
}

// scalar is (dtype, bytes).
func scalar(args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("a number is made of %d parts", len(args))
	}
	a := &Array{}
	if err := a.set(args[1], args[0], &Tuple{}, "C"); err != nil {
		return nil, err
	}
	if a.Type.Kind == 'O' {
		return nil, errors.New("a scalar of objects is not allowed")
	}
	raw := make([]byte, a.Type.Size)
	if _, err := io.ReadFull(a.Raw(), raw); err != nil {
		return nil, err
	}
	return a.Type.value(raw)
}
