package pickle

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
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

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.pushGlobal(module, name)
}

func (m *machine) stackGlobal() error {
	names, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok || !ok2 {
		return fmt.Errorf("a name is %s and %s; the file is damaged: copy or download it again", Kind(names[0]), Kind(names[1]))
	}
	return m.pushGlobal(module, name)
}

func (m *machine) pushGlobal(module, name string) error {
	full := module + "." + name
	if call, ok := globals[full]; ok {
		return m.push(&global{full, call})
	}
	return fmt.Errorf("the file asks for %.100q, which is not allowed and was not run; if you trust its source, %s", full, remedy)
}

func (m *machine) reduce() error {
	operands, err := m.popN(2)
	if err != nil {
		return err
	}
	callee, ok := operands[0].(*global)
	args, isTuple := operands[1].(*Tuple)
	if !ok || !isTuple || callee.call == nil {
		return fmt.Errorf("%s is called with %s, which is not allowed and was not done; %s", Kind(operands[0]), Kind(operands[1]), remedy)
	}
	result, err := callee.call(args.Items)
	if err != nil {
		return fmt.Errorf("%s: %w; %s", callee.name, err, remedy)
	}
	return m.push(result)
}

// build gives an array or a dtype its state.
func (m *machine) build() error {
	popped, err := m.pop()
	if err != nil {
		return err
	}
	state, ok := popped.(*Tuple)
	object := m.top()
	if !ok {
		return fmt.Errorf("%s is the state of %s, which is not allowed; %s", Kind(popped), Kind(object), remedy)
	}
	switch object := object.(type) {
	case *Array:
		err = object.setState(state.Items)
	case *dtype:
		err = object.setState(state.Items)
	default:
		err = fmt.Errorf("%s has no state", Kind(object))
	}
	if err != nil {
		return fmt.Errorf("%w; %s", err, remedy)
	}
	return nil
}

func reconstruct(args []any) (any, error) {
	if len(args) == 3 {
		if class, ok := args[0].(*global); ok && class.name == "numpy.ndarray" {
			return &Array{}, nil
		}
	}
	return nil, fmt.Errorf("only plain numpy.ndarray can be made")
}

// encode is how protocol 2 writes bytes: as a string of the characters with these codes.
func encode(args []any) (any, error) {
	if len(args) == 2 && args[1] == "latin1" {
		switch s := args[0].(type) {
		case string:
			return &Bytes{source: strings.NewReader(s), size: int64(len(s)), latin1: true}, nil
		case *longString:
			encoded := s.Bytes
			encoded.latin1 = true
			return &encoded, nil
		}
	}
	return nil, fmt.Errorf("only a string in latin1 can be encoded")
}

// noBytes is bytes(), as protocol 2 writes the contents of an empty array.
func noBytes(args []any) (any, error) {
	if len(args) != 0 {
		return nil, fmt.Errorf("only empty bytes can be made")
	}
	return &Bytes{source: strings.NewReader("")}, nil
}

// dtype is an array's type in the making.
type dtype struct {
	DType
	complete bool
}

// newDType reads the name that NumPy writes, as "f4" or "U225".
func newDType(args []any) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("a dtype needs a name")
	}
	name, ok := args[0].(string)
	if !ok || name == "" {
		return nil, fmt.Errorf("a dtype is named by %s", Kind(args[0]))
	}
	size, err := strconv.Atoi(name[1:])
	t := DType{Kind: name[0], Size: size}
	if t.Kind == 'U' {
		t.Size *= runeSize
	}
	if err != nil || !t.known() {
		return nil, fmt.Errorf("dtype %.40q is not among f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 O U… S…", name)
	}
	return &dtype{DType: t}, nil
}

func (t DType) known() bool {
	switch t.Kind {
	case 'f':
		return t.Size == 2 || t.Size == 4 || t.Size == 8
	case 'i', 'u':
		return t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8
	case 'b':
		return t.Size == 1
	case 'O':
		return t.Size == 4 || t.Size == 8
	}
	return (t.Kind == 'U' || t.Kind == 'S') && t.Size > 0 && t.Size <= maxString
}

// setState takes (version, byte order, subarray, names, fields, element size, alignment, flags).
func (t *dtype) setState(state []any) error {
	if t.complete || len(state) != 8 {
		return fmt.Errorf("a dtype's state has %d parts", len(state))
	}
	if state[2] != nil || state[3] != nil || state[4] != nil {
		return fmt.Errorf("structured dtypes are not allowed")
	}
	if size, ok := state[5].(int64); !ok || size != -1 && size != int64(t.Size) {
		return fmt.Errorf("a dtype of %d bytes has an element size of %s", t.Size, Kind(state[5]))
	}
	switch state[1] {
	case "<", "|", "=":
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
	order := "C"
	if state[3] == true {
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
	if order != "C" && count > int64(max(1, dims[0])) {
		return fmt.Errorf("an array of %v %v is in Fortran order: save numpy.ascontiguousarray of it", t.DType, dims)
	}
	a.Type = t.DType
	if t.Kind == 'O' {
		err = a.setItems(contents, count)
	} else {
		err = a.setBytes(contents, count*int64(t.Size))
	}
	if err == nil {
		a.Shape = dims
	}
	return err
}

func (a *Array) setBytes(contents any, size int64) error {
	b, ok := contents.(*Bytes)
	if !ok || !b.mayHold(size) {
		return fmt.Errorf("an array of %d bytes has %s", size, Kind(contents))
	}
	a.contents = *b
	return nil
}

func (a *Array) setItems(contents any, count int64) error {
	list, ok := contents.(*List)
	if !ok || int64(len(list.Items)) != count {
		return fmt.Errorf("an array of %d objects has %s", count, Kind(contents))
	}
	a.Items = list.Items
	return nil
}

// dimensions checks a shape and returns the number of elements.
func dimensions(shape any) (dims []int, count int64, err error) {
	tuple, ok := shape.(*Tuple)
	if !ok || len(tuple.Items) > maxDimensions {
		return nil, 0, fmt.Errorf("an array's shape is %s", Kind(shape))
	}
	dims, count = []int{}, 1
	product := int64(1) // without zeros: any part of the shape can be multiplied safely
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
		return nil, fmt.Errorf("a scalar of objects is not allowed")
	}
	raw := make([]byte, a.Type.Size)
	if _, err := io.ReadFull(a.Raw(), raw); err != nil {
		return nil, err
	}
	return a.Type.value(raw)
}
