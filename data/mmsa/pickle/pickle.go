// Package pickle reads Python pickles that hold data: dicts, lists, tuples, strings, bytes, numbers and NumPy arrays, in
// protocols 2 to 5. Nothing is ever executed. A file that asks for anything else is refused by the full name of what it asks
// for and the offset at which it does.
//
// Bytes, and strings too long to be words, stay in the file. An [Array] is read row by row, so that opening a file of any
// size takes the memory of its small objects only.
//
// Sources: Python's Lib/pickletools.py for the opcodes, NumPy's array_reduce, array_setstate and arraydescr_setstate for what
// arrays are made of.
package pickle

import (
	"fmt"
	"io"
	"os"
)

// Limits on what a file may ask for. A set of MOSEI's size takes a tenth of them at most.
const (
	maxOperations = 3 << 19  // opcodes; each takes about 50 bytes at most
	maxMemo       = 1 << 20  // remembered values
	maxStack      = 1 << 18  // values under way
	maxDepth      = 64       // containers within containers
	maxString     = 64 << 10 // bytes of a string that is kept in memory
	maxText       = 32 << 20 // bytes of all of them
	maxElements   = 1 << 20  // of what Strings and Numbers return
	maxRow        = 4 << 20  // elements of an array's row
	maxDimensions = 32
)

const remedy = "save it again from Python with pickle.dump(data, file, protocol=4), where data is made of dicts, lists, " +
	"strings, numbers and NumPy arrays only"

const again = "copy or download it again"

// File is an opened pickle.
type File struct {
	// Root is nil, bool, int64, float64, string, *[List], *[Tuple], *[Dict], *[Bytes], *[Array], or a value that only has a
	// [Kind]. Values may be shared, but nothing contains itself, and nothing is nested deeper than 64.
	Root any
	file *os.File
}

// Open reads everything but the contents of arrays. Errors name the file, the offset and the remedy.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	root, err := load(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Root: root, file: file}, nil
}

// Close ends the use of the file's arrays.
func (f *File) Close() error { return f.file.Close() }

func load(file *os.File) (any, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is not a regular file; give the path of a pickle")
	}
	return Load(file, info.Size())
}

// Load is [Open] for size bytes that are not a file of their own. What it returns reads from r.
func Load(r io.ReaderAt, size int64) (any, error) {
	m := &machine{stream: newStream(r, size)}
	root, err := m.run()
	if err != nil {
		return nil, err
	}
	if _, err := checkTree(root, 0); err != nil {
		return nil, err
	}
	return root, nil
}

// List is a list.
type List struct {
	Items []any
	node
}

// Tuple is a tuple.
type Tuple struct {
	Items []any
	node
}

// Dict is a dict in the order of its writing.
type Dict struct {
	Keys, Values []any
	node
}

// Get returns the value of the last key that is this string.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if name, ok := d.Keys[i].(string); ok && name == key {
			return d.Values[i], true
		}
	}
	return nil, false
}

// Kind describes a value in an error's words, as "list of 3" or "array of float32 [162 50 74]".
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprintf("%v", v)
	case string:
		return fmt.Sprintf("string %.40q", v)
	case *longString:
		return fmt.Sprintf("string of %d bytes", v.size)
	case *Bytes:
		return fmt.Sprintf("%d bytes", v.size)
	case *List:
		return fmt.Sprintf("list of %d", len(v.Items))
	case *Tuple:
		return fmt.Sprintf("tuple of %d", len(v.Items))
	case *Dict:
		return fmt.Sprintf("dict of %d", len(v.Keys))
	case *Array:
		if v.Shape == nil {
			return "array without contents"
		}
		return fmt.Sprintf("array of %v %v", v.Type, v.Shape)
	case *dtype:
		return "dtype"
	case *global:
		return v.name
	}
	return "unknown"
}
