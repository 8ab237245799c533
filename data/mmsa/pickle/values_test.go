package pickle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// described is one array of values.json.
type described struct {
	DType  string
	Shape  []int
	Values []any // floats as Python's repr
}

type expected struct {
	Plain, Tuples, Scalars any
	Bytes                  []byte
	Arrays                 map[string]described
}

func expectedValues(t *testing.T) (want expected) {
	t.Helper()
	var raw struct {
		Plain, Tuples, Scalars any
		Bytes                  []int
		Arrays                 map[string]described
	}
	text, err := os.ReadFile("testdata/values.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &raw))
	for _, b := range raw.Bytes {
		want.Bytes = append(want.Bytes, byte(b))
	}
	want.Plain, want.Tuples, want.Scalars, want.Arrays = raw.Plain, raw.Tuples, raw.Scalars, raw.Arrays
	return want
}

// fixture reads one whose root is a dict.
func fixture(t *testing.T, name string) *Dict {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	require.IsType(t, &Dict{}, f.Root)
	return f.Root.(*Dict)
}

func lookup(t *testing.T, d *Dict, key string) any {
	t.Helper()
	v, ok := d.Get(key)
	require.True(t, ok, key)
	return v
}

// simple turns what needs no array into what encoding/json would make of it.
func simple(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case *List:
		return simples(v.Items)
	case *Tuple:
		return simples(v.Items)
	case *Dict:
		all := map[string]any{}
		for i, key := range v.Keys {
			all[key.(string)] = simple(v.Values[i])
		}
		return all
	}
	return v
}

func simples(items []any) []any {
	all := make([]any, len(items))
	for i, item := range items {
		all[i] = simple(item)
	}
	return all
}

func eachProtocol(t *testing.T, check func(t *testing.T, root *Dict, want expected)) {
	want := expectedValues(t)
	for protocol := 2; protocol <= 5; protocol++ {
		t.Run(fmt.Sprint(protocol), func(t *testing.T) { check(t, fixture(t, fmt.Sprintf("values.p%d.pkl", protocol)), want) })
	}
}

func TestPlainValuesAreThoseOfPython(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, want expected) {
		assert.Equal(t, want.Plain, simple(lookup(t, root, "plain")))
		assert.Equal(t, want.Tuples, simple(lookup(t, root, "tuples")))
	})
}

func TestNumPyScalarsBecomeValues(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, want expected) {
		assert.Equal(t, want.Scalars, simple(lookup(t, root, "scalars")))
	})
}

func TestBytesAreThoseOfPython(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, want expected) {
		raw, err := io.ReadAll(lookup(t, root, "bytes").(*Bytes).open())
		require.NoError(t, err)
		assert.Equal(t, want.Bytes, raw)
		assert.Zero(t, lookup(t, root, "no bytes").(*Bytes).size)
	})
}

func TestBytearrayOfProtocol5IsBytes(t *testing.T) {
	raw, err := io.ReadAll(lookup(t, fixture(t, "bytearray.p5.pkl"), "buffer").(*Bytes).open())
	require.NoError(t, err)
	assert.Equal(t, expectedValues(t).Bytes, raw)
}

func TestArraysEqualThoseOfNumPyElementByElement(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, want expected) {
		arrays := lookup(t, root, "arrays").(*Dict)
		require.Len(t, arrays.Keys, len(want.Arrays))
		for name, w := range want.Arrays {
			a := lookup(t, arrays, name).(*Array)
			assert.Equal(t, w.Shape, a.Shape, name)
			assert.Equal(t, len(w.Values), a.Count(), name)
			checkElements(t, name, w, a)
		}
	})
}

func checkElements(t *testing.T, name string, want described, a *Array) {
	t.Helper()
	switch want.DType {
	case "U", "S":
		got, err := Strings(a)
		require.NoError(t, err, name)
		for i, w := range want.Values {
			assert.Equal(t, w, got[i], "%s[%d]", name, i)
		}
	case "O":
		assert.Equal(t, want.Values, simples(a.Items), name)
	default:
		assert.Equal(t, want.DType, a.Type.String(), name)
		got, err := Numbers(a)
		require.NoError(t, err, name)
		for i, w := range want.Values {
			assert.Equal(t, math.Float64bits(number(t, w)), math.Float64bits(got[i]), "%s[%d]", name, i)
		}
	}
}

func number(t *testing.T, v any) float64 {
	t.Helper()
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		return map[bool]float64{true: 1}[v]
	}
	n, err := strconv.ParseFloat(v.(string), 64)
	require.NoError(t, err)
	return n
}

func TestRowsAreTheArrayInOrder(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, _ expected) {
		long := lookup(t, lookup(t, root, "arrays").(*Dict), "long").(*Array)
		rows, err := long.Rows()
		require.NoError(t, err)
		all, row := []float64{}, make([]float64, 100)
		for err = rows.Next(row); err == nil; err = rows.Next(row) {
			all = append(all, row...)
		}
		assert.Equal(t, io.EOF, err)
		whole, err := Numbers(long)
		require.NoError(t, err)
		assert.Equal(t, whole, all)
	})
}

// Copying may ask a reader to write itself, and must not get around the decoding.
func TestCopiedBytesAreThoseThatAreRead(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, _ expected) {
		long := lookup(t, lookup(t, root, "arrays").(*Dict), "long").(*Array)
		var copied bytes.Buffer
		_, err := io.Copy(&copied, long.Raw())
		require.NoError(t, err)
		read := make([]byte, long.Count()*long.Type.Size)
		_, err = io.ReadFull(long.Raw(), read)
		require.NoError(t, err)
		assert.Equal(t, read, copied.Bytes())
	})
}

func TestOneValueMetTwiceIsOneValue(t *testing.T) {
	eachProtocol(t, func(t *testing.T, root *Dict, _ expected) {
		pair := lookup(t, root, "shared").(*List).Items
		assert.Same(t, pair[0], pair[1])
	})
}

func TestFortranOrderIsRefusedWithItsRemedy(t *testing.T) {
	for _, name := range []string{"fortran.p4.pkl", "fortran.p5.pkl", "transposed.p5.pkl"} {
		_, err := Open(filepath.Join("testdata", name))
		assert.ErrorContains(t, err, "Fortran order", name)
		assert.ErrorContains(t, err, "numpy.ascontiguousarray", name)
	}
}

func TestTheLastOfTwoEqualKeysCounts(t *testing.T) {
	d := &Dict{Keys: []any{"a", "a"}, Values: []any{int64(1), int64(2)}}
	v, ok := d.Get("a")
	assert.True(t, ok)
	assert.Equal(t, int64(2), v)
}
