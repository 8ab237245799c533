package safetensors

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
)

// FromFloat32 is a tensor of type F32 with the given values and dimensions. [Write] refuses it where they do not fit.
func FromFloat32(values []float32, dims ...int) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, value := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return Tensor{DType: "F32", Shape: slices.Clone(dims), Data: data}
}

// FromFloat64 is a vector of float64.
func FromFloat64(values []float64) Tensor {
	var content []byte
	for _, v := range values {
		content = binary.LittleEndian.AppendUint64(content, math.Float64bits(v))
	}
	return Tensor{DType: "F64", Shape: []int{len(values)}, Data: content}
}

// Float32 returns the values and shape of a tensor of type F16, BF16, F32 or F64; those of the last are rounded.
func (f *File) Float32(name string) ([]float32, []int, error) {
	t, err := f.tensor(name)
	if err != nil {
		return nil, nil, err
	}
	values, err := floats[float32](t)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return values, t.Shape, nil
}

// Float64 returns the values and shape of a tensor of type F16, BF16, F32 or F64.
func (f *File) Float64(name string) ([]float64, []int, error) {
	t, err := f.tensor(name)
	if err != nil {
		return nil, nil, err
	}
	values, err := floats[float64](t)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return values, t.Shape, nil
}

// Int64 returns the values and shape of a tensor of type BOOL (0 and 1), I8…I64 or U8…U64. A value beyond int64 is an error.
func (f *File) Int64(name string) ([]int64, []int, error) {
	t, err := f.tensor(name)
	if err != nil {
		return nil, nil, err
	}
	values, err := integers(t)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return values, t.Shape, nil
}

func (f *File) tensor(name string) (Tensor, error) {
	t, found := f.Tensors[name]
	if !found {
		names := slices.Sorted(maps.Keys(f.Tensors))
		more := ""
		if len(names) > 10 {
			names, more = names[:10], ", …"
		}
		return Tensor{}, fmt.Errorf("safetensors: no tensor %q; there are %s%s", name, strings.Join(names, ", "), more)
	}
	return t, t.checkNamed(name)
}

// Check tells what does not hold together in a tensor made by hand; those of a file were checked when it was read.
func (t Tensor) Check() error {
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return err
	}
	if size != len(t.Data) {
		return fmt.Errorf("%s %v takes %d bytes, but it holds %d", t.DType, t.Shape, size, len(t.Data))
	}
	return nil
}

func (t Tensor) checkNamed(name string) error {
	if err := t.Check(); err != nil {
		return fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return nil
}

func floats[F float32 | float64](t Tensor) ([]F, error) {
	little := binary.LittleEndian
	switch t.DType {
	case "F64":
		return each(t.Data, 8, func(b []byte) F { return F(math.Float64frombits(little.Uint64(b))) }), nil
	case "F32":
		return each(t.Data, 4, func(b []byte) F { return F(math.Float32frombits(little.Uint32(b))) }), nil
	case "F16":
		return each(t.Data, 2, func(b []byte) F { return F(float16.FromBits(little.Uint16(b)).Float32()) }), nil
	case "BF16":
		return each(t.Data, 2, func(b []byte) F { return F(bfloat16.FromBits(little.Uint16(b)).Float32()) }), nil
	}
	return nil, fmt.Errorf("%s cannot be read as floating point", t.DType)
}

func integers(t Tensor) ([]int64, error) {
	little := binary.LittleEndian
	switch t.DType {
	case "BOOL", "U8":
		return each(t.Data, 1, func(b []byte) int64 { return int64(b[0]) }), nil
	case "I8":
		return each(t.Data, 1, func(b []byte) int64 { return int64(int8(b[0])) }), nil
	case "U16":
		return each(t.Data, 2, func(b []byte) int64 { return int64(little.Uint16(b)) }), nil
	case "I16":
		return each(t.Data, 2, func(b []byte) int64 { return int64(int16(little.Uint16(b))) }), nil
	case "U32":
		return each(t.Data, 4, func(b []byte) int64 { return int64(little.Uint32(b)) }), nil
	case "I32":
		return each(t.Data, 4, func(b []byte) int64 { return int64(int32(little.Uint32(b))) }), nil
	case "I64":
		return each(t.Data, 8, func(b []byte) int64 { return int64(little.Uint64(b)) }), nil
	case "U64":
		values := each(t.Data, 8, func(b []byte) int64 { return int64(little.Uint64(b)) })
		if i := slices.IndexFunc(values, func(v int64) bool { return v < 0 }); i >= 0 {
			return nil, fmt.Errorf("value %d (%d) exceeds int64", i, uint64(values[i]))
		}
		return values, nil
	}
	return nil, fmt.Errorf("%s cannot be read as integers", t.DType)
}

func each[V any](data []byte, width int, decode func([]byte) V) []V {
	out := make([]V, len(data)/width)
	for i := range out {
		out[i] = decode(data[i*width:])
	}
	return out
}
