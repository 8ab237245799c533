package npy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/data/npy"
)

// grid is what testdata/make_golden.py wrote with numpy 2.4.6.
var grid = []float32{1, -2.5, 3e-8, 4, 0, 1e30}

// write closes a stream of rows of two.
func write(t require.TestingT, path string, values ...[]float32) {
	s, err := npy.Create(path, npy.Float32, 2)
	require.NoError(t, err)
	for _, v := range values {
		require.NoError(t, s.Floats(v))
	}
	require.NoError(t, s.Close())
}

func TestArraysOfNumPyAreRead(t *testing.T) {
	for _, name := range []string{"float32", "float64", "version2"} {
		a, err := npy.Open(filepath.Join("testdata", name+".npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{3, 2}, a.Shape)
		got := make([]float32, 6)
		a.Floats(got, 0)
		assert.Equal(t, grid, got, name)
		part := make([]float32, 3)
		a.Floats(part, 2)
		assert.Equal(t, grid[2:5], part, name)
	}
}

func TestIntegersOfNumPyAreRead(t *testing.T) {
	a, err := npy.Open("testdata/int32.npy")
	require.NoError(t, err)
	got := make([]int32, 2)
	a.Ints(got, 1)
	assert.Equal(t, []int32{-7, 1<<31 - 1}, got)
}

func TestAnArrayWithoutRowsIsRead(t *testing.T) {
	a, err := npy.Open("testdata/empty.npy")
	require.NoError(t, err)
	assert.Equal(t, []int{0, 74}, a.Shape)
	assert.Zero(t, a.Len())
}

func TestAStreamWritesTheBytesOfNumPy(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "float32.npy"), grid[:1], grid[1:4], grid[4:])
	s, err := npy.Create(filepath.Join(dir, "int32.npy"), npy.Int32)
	require.NoError(t, err)
	require.NoError(t, s.Ints([]int32{101, -7, 1<<31 - 1}))
	require.NoError(t, s.Close())
	for _, name := range []string{"float32.npy", "int32.npy"} {
		assert.Equal(t, read(t, filepath.Join("testdata", name)), read(t, filepath.Join(dir, name)), name)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOf(rapid.Float32()).Draw(r, "values")
		values = values[:len(values)/2*2]
		path := filepath.Join(dir, fmt.Sprintf("%x.npy", rapid.Uint64().Draw(r, "name")))
		_ = os.Remove(path)
		write(r, path, values)
		a, err := npy.Open(path)
		require.NoError(r, err)
		got := make([]float32, len(values))
		a.Floats(got, 0)
		require.Equal(r, append([]float32{}, values...), got)
	})
}

func TestAnExistingFileIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	write(t, path, grid)
	_, err := npy.Create(path, npy.Float32, 2)
	assert.ErrorIs(t, err, os.ErrExist)
}

func TestElementsMustFillRows(t *testing.T) {
	s, err := npy.Create(filepath.Join(t.TempDir(), "a.npy"), npy.Float32, 4)
	require.NoError(t, err)
	require.NoError(t, s.Floats(grid))
	assert.ErrorContains(t, s.Close(), "6 elements are not rows of 4")
}

// A stream that never ended is no array: its header still says that there are no rows.
func TestAnAbandonedStreamIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	s, err := npy.Create(path, npy.Float32, 2)
	require.NoError(t, err)
	require.NoError(t, s.Floats(make([]float32, 1<<16)))
	s.Abandon()
	_, err = npy.Open(path)
	assert.ErrorContains(t, err, "was not written to the end")
}

func TestArraysThatCannotBeReadSayWhatToSaveInstead(t *testing.T) {
	for name, want := range map[string]string{
		"fortran":    "it is in Fortran order; save numpy.ascontiguousarray(array)",
		"bigendian":  `its elements are ">f4"; save array.astype("<f4")`,
		"structured": "is not that of a plain array; save a numeric array",
	} {
		_, err := npy.Open(filepath.Join("testdata", name+".npy"))
		assert.ErrorContains(t, err, filepath.Join("testdata", name)+".npy: it")
		assert.ErrorContains(t, err, want)
	}
}

// header is an .npy file of version 1 with a given dictionary.
func header(dict string) []byte {
	return append([]byte("\x93NUMPY\x01\x00"+string([]byte{byte(len(dict)), byte(len(dict) >> 8)})), dict...)
}

func shaped(shape string) []byte {
	return header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }\n")
}

// hostile files, and what is said about them.
var hostile = map[string]struct {
	content []byte
	want    string
}{
	"nothing":           {nil, "it is not an .npy file; write it with numpy.save"},
	"text":              {[]byte("id,label\na,1\n"), "it is not an .npy file"},
	"version 9":         {append([]byte("\x93NUMPY\x09\x00"), make([]byte, 20)...), "its .npy version is 9"},
	"header cut off":    {shaped("2, 2")[:40], "cut off"},
	"huge header":       {append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), make([]byte, 1<<20)...), "cut off or too long"},
	"rows missing":      {shaped("1000000, 74"), "needs 296000000 bytes and 0 follow"},
	"rows to spare":     {append(shaped("1, 1"), make([]byte, 8)...), "needs 4 bytes and 8 follow"},
	"header bomb":       {shaped("9223372036854775807, 9223372036854775807"), "larger than any file"},
	"hidden bomb":       {shaped("0, 9223372036854775807, 9223372036854775807"), ""},
	"more than 64 bits": {shaped("99999999999999999999"), `a dimension of "99999999999999999999"`},
	"negative":          {shaped("-1, 4"), "is not that of a plain array"},
	"code":              {header("{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,), }"), "not that of a plain array"},
}

func TestAHostileHeaderIsRefusedWithoutLargeAllocations(t *testing.T) {
	for name, file := range hostile {
		path := filepath.Join(t.TempDir(), "a.npy")
		require.NoError(t, os.WriteFile(path, file.content, 0o666))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := npy.Open(path)
		runtime.ReadMemStats(&after)
		if file.want != "" {
			assert.ErrorContains(t, err, path+": ", name)
			assert.ErrorContains(t, err, file.want, name)
		}
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<18), name)
	}
}

func TestAFolderIsNoArray(t *testing.T) {
	_, err := npy.Open(t.TempDir())
	assert.ErrorContains(t, err, "it is not a regular file")
}

// Whatever a file holds, opening it ends in an error or in an array of the file's size.
func FuzzOpen(f *testing.F) {
	for _, file := range hostile {
		f.Add(file.content)
	}
	golden, err := filepath.Glob("testdata/*.npy")
	require.NoError(f, err)
	for _, path := range golden {
		f.Add(read(f, path))
	}
	path := filepath.Join(f.TempDir(), "a.npy")
	f.Fuzz(func(t *testing.T, content []byte) {
		require.NoError(t, os.WriteFile(path, content, 0o666))
		a, err := npy.Open(path)
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), path+": "), err.Error())
			return
		}
		assert.Less(t, a.Len(), len(content))
		if a.Type == npy.Float32 || a.Type == npy.Float64 {
			a.Floats(make([]float32, a.Len()), 0)
		}
	})
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}
