package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// content is a file with the given header and size bytes of zeros.
func content(header string, size int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, size)...)
}

func TestEveryTypeReadsAsTheReferenceWroteIt(t *testing.T) {
	file, err := ReadFile("testdata/types.safetensors")
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/values.json")
	require.NoError(t, err)
	var want map[string][]json.Number
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, file.Tensors, len(want))
	for name, numbers := range want {
		assert.Equal(t, fmt.Sprint(numbers), fmt.Sprint(asWritten(t, file, name, numbers)), name)
	}
}

// asWritten reads a tensor and renders each value as want does, where they are the same number.
func asWritten(t *testing.T, file *File, name string, want []json.Number) []json.Number {
	var out []json.Number
	if values, _, err := file.Float64(name); err == nil {
		for i, value := range values {
			number, err := want[i].Float64()
			require.NoError(t, err)
			if number == value {
				out = append(out, want[i])
			}
		}
		return out
	}
	values, _, err := file.Int64(name)
	require.NoError(t, err)
	for _, value := range values {
		out = append(out, json.Number(fmt.Sprint(value)))
	}
	return out
}

func TestShapesAreRead(t *testing.T) {
	file, err := ReadFile("testdata/types.safetensors")
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3}, file.Tensors["f32"].Shape)
	assert.Equal(t, []int{0, 3}, file.Tensors["empty"].Shape)
	assert.Empty(t, file.Tensors["scalar"].Shape)
}

func TestWritingWhatTheReferenceWroteGivesItsBytes(t *testing.T) {
	want, err := os.ReadFile("testdata/floats.safetensors")
	require.NoError(t, err)
	file, err := Parse(want)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"made": "here"}, file.Metadata)
	var got bytes.Buffer
	require.NoError(t, Write(&got, file))
	assert.Equal(t, want, got.Bytes())
}

func TestFloat64IsRoundedToFloat32(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1+1e-9))
	file := &File{Tensors: map[string]Tensor{"x": {DType: "F64", Data: data}}}
	values, _, err := file.Float32("x")
	require.NoError(t, err)
	assert.Equal(t, []float32{1}, values)
}

func TestEveryFloat16IsReadAsItsDefinitionSays(t *testing.T) {
	data := make([]byte, 0, 2<<16)
	for bits := range 1 << 16 {
		data = binary.LittleEndian.AppendUint16(data, uint16(bits))
	}
	file := &File{Tensors: map[string]Tensor{"x": {DType: "F16", Shape: []int{1 << 16}, Data: data}}}
	values, _, err := file.Float64("x")
	require.NoError(t, err)
	for bits, value := range values {
		want := half(bits)
		require.True(t, value == want || math.IsNaN(value) && math.IsNaN(want), "%#x: %g, want %g", bits, value, want)
	}
}

// half is IEEE 754's binary16, written from its definition.
func half(bits int) float64 {
	sign := 1 - 2*float64(bits>>15)
	exponent, fraction := bits>>10&31, float64(bits&1023)
	switch {
	case exponent == 31 && fraction == 0:
		return math.Inf(int(sign))
	case exponent == 31:
		return math.NaN()
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func TestIntegersBeyondInt64AreRefused(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	file := &File{Tensors: map[string]Tensor{"x": {DType: "U64", Data: data}}}
	_, _, err := file.Int64("x")
	assert.ErrorContains(t, err, "18446744073709551615")
}

func TestTheWrongKindOfNumberIsRefused(t *testing.T) {
	file, err := ReadFile("testdata/types.safetensors")
	require.NoError(t, err)
	_, _, err = file.Float32("i64")
	assert.ErrorContains(t, err, `tensor "i64": I64 cannot be read as floating point`)
	_, _, err = file.Int64("f32")
	assert.ErrorContains(t, err, `tensor "f32": F32 cannot be read as integers`)
}

func TestAMissingTensorIsNamedWithThoseThatAreThere(t *testing.T) {
	file := &File{Tensors: map[string]Tensor{"b": {}, "a": {}}}
	_, _, err := file.Float32("weights")
	assert.ErrorContains(t, err, `no tensor "weights"; there are a, b`)
}

func TestBrokenFilesAreErrors(t *testing.T) {
	const good = `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	_, err := Parse(content(good, 8))
	require.NoError(t, err)
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	cases := map[string]struct {
		content []byte
		says    string
	}{
		"empty":                 {nil, "too few"},
		"no length":             {[]byte("1234567"), "too few"},
		"huge length":           {binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "exceeds the format's"},
		"length beyond file":    {content(good, 8)[:20], "cut off"},
		"values cut off":        {content(good, 7), "cut off"},
		"values left over":      {content(good, 9), "1 bytes follow the last tensor"},
		"nothing":               {content("", 0), "not a JSON object"},
		"an array":              {content("[]", 0), "not a JSON object"},
		"null":                  {content("null", 0), "not a JSON object"},
		"half an object":        {content(`{"a":`, 0), "too early"},
		"open object":           {content(`{`, 0), "too early"},
		"two objects":           {content(`{}{}`, 0), "follows the JSON object"},
		"deep":                  {content(`{"a":`+deep+`}`, 0), "depth"},
		"not UTF-8":             {content("{\"\xff\":1}", 0), "not UTF-8"},
		"twice the same name":   {content(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 2), `"a" is given twice`},
		"entry is no object":    {content(`{"a":3}`, 0), `tensor "a"`},
		"no dtype":              {content(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8), "are needed"},
		"unknown field":         {content(`{"a":{"dtype":"F32","Shape":[2],"data_offsets":[0,8]}}`, 8), "Shape: unknown field"},
		"unknown dtype":         {content(`{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}`, 8), `unknown dtype "F31"`},
		"dtype is null":         {content(`{"a":{"dtype":null,"shape":[2],"data_offsets":[0,8]}}`, 8), "not a string"},
		"shape is null":         {content(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), "not an array"},
		"null in shape":         {content(`{"a":{"dtype":"F32","shape":[null],"data_offsets":[0,0]}}`, 0), "non-negative"},
		"negative shape":        {content(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "non-negative"},
		"fraction in shape":     {content(`{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}`, 8), "not an array"},
		"shape overflows":       {content(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0), "overflows"},
		"shape overflows early": {content(`{"a":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}}`, 0), "overflows"},
		"number overflows":      {content(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}`, 0), "not an array"},
		"shape beyond bytes":    {content(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "takes 12 bytes"},
		"one offset":            {content(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}}`, 8), "begin and an end"},
		"offsets reversed":      {content(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "begin and an end"},
		"offsets beyond file":   {content(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 8), "cut off"},
		"hole":                  {content(`{"a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 2), "overlap or hole"},
		"overlap":               {content(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "overlap or hole"},
		"same bytes twice":      {content(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), "overlap or hole"},
		"metadata not strings":  {content(`{"__metadata__":{"a":1}}`, 0), "not a string"},
		"metadata null":         {content(`{"__metadata__":{"a":null}}`, 0), "not a string"},
		"metadata no object":    {content(`{"__metadata__":"a"}`, 0), "not a JSON object"},
	}
	for name, c := range cases {
		_, err := Parse(c.content)
		assert.ErrorContains(t, err, c.says, name)
		path := filepath.Join(t.TempDir(), "x.safetensors")
		require.NoError(t, os.WriteFile(path, c.content, 0o600))
		_, err = ReadFile(path)
		assert.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, path, name)
	}
}

func TestAFolderIsNotRead(t *testing.T) {
	_, err := ReadFile(t.TempDir())
	assert.ErrorContains(t, err, "not a regular file")
}

func TestWriteRefusesWhatDoesNotHoldTogether(t *testing.T) {
	cases := map[string]*File{
		"takes 12 bytes":       {Tensors: map[string]Tensor{"a": FromFloat32([]float32{1, 2}, 3)}},
		"negative dimension":   {Tensors: map[string]Tensor{"a": FromFloat32(nil, -1)}},
		"unknown dtype":        {Tensors: map[string]Tensor{"a": {DType: "F31"}}},
		"cannot name a tensor": {Tensors: map[string]Tensor{metadataKey: FromFloat32([]float32{1})}},
		"not UTF-8":            {Metadata: map[string]string{"a": "\xff"}},
	}
	for says, file := range cases {
		var out bytes.Buffer
		assert.ErrorContains(t, Write(&out, file), says)
		assert.Zero(t, out.Len(), says)
	}
}

func TestWhatIsWrittenReadsBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &File{Tensors: map[string]Tensor{}, Metadata: map[string]string{}}
		for _, name := range rapid.SliceOfN(rapid.String(), 0, 6).Draw(t, "names") {
			dtype := rapid.SampledFrom([]string{"F64", "F32", "BF16", "I8", "BOOL"}).Draw(t, "dtype")
			shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "shape")
			size, err := byteSize(dtype, shape)
			require.NoError(t, err)
			want.Tensors[name] = Tensor{dtype, shape, rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "data")}
			want.Metadata[name] = rapid.String().Draw(t, "value")
		}
		var first, second bytes.Buffer
		require.NoError(t, Write(&first, want))
		require.NoError(t, Write(&second, want))
		require.Equal(t, first.Bytes(), second.Bytes())
		got, err := Parse(first.Bytes())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestEveryTensorIsAligned(t *testing.T) {
	file := &File{Tensors: map[string]Tensor{
		"a": {DType: "U8", Data: []byte{1}}, "b": FromFloat32([]float32{1}), "c": {DType: "F64", Data: make([]byte, 8)}}}
	var out bytes.Buffer
	require.NoError(t, Write(&out, file))
	head, err := parseHeader(out.Bytes()[8:out.Len()-13], 13)
	require.NoError(t, err)
	assert.Zero(t, (out.Len()-13)%8)
	for _, e := range head.entries {
		assert.Zero(t, e.begin%int64(widths[e.dtype]), e.name)
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range []string{"testdata/types.safetensors", "testdata/floats.safetensors"} {
		seed, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Add(content(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, Write(&out, file))
		again, err := Parse(out.Bytes())
		require.NoError(t, err)
		require.Equal(t, file, again)
	})
}
