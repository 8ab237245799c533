package mmsa

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// dict is a Python dict in order.
type dict []entry

type entry struct {
	key   string
	value any
}

// with returns a copy that has another value for one key, or lacks it where the value is absent.
func (d dict) with(key string, value any) dict {
	var changed dict
	for _, e := range d {
		if e.key != key {
			changed = append(changed, e)
		}
	}
	if value == absent {
		return changed
	}
	return append(changed, entry{key, value})
}

var absent any = struct{}{}

// floats is a NumPy array of float32, element(i) in row-major order.
type floats struct {
	shape   []int
	element func(i int) float32
}

// pickler writes protocol 4 as Python does, without its memo.
type pickler struct{ *bufio.Writer }

func writePickle(w io.Writer, v any) error {
	p := pickler{bufio.NewWriterSize(w, 1<<20)}
	p.WriteString("\x80\x04")
	p.value(v)
	p.WriteString(".")
	return p.Flush()
}

func (p pickler) value(v any) {
	switch v := v.(type) {
	case nil:
		p.WriteString("N")
	case int:
		p.WriteString("J" + string(binary.LittleEndian.AppendUint32(nil, uint32(v))))
	case float64:
		p.WriteString("G" + string(binary.BigEndian.AppendUint64(nil, math.Float64bits(v))))
	case string:
		p.WriteString("X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(v)))) + v)
	case []any:
		p.WriteString("](")
		for _, item := range v {
			p.value(item)
		}
		p.WriteString("e")
	case dict:
		p.WriteString("}(")
		for _, e := range v {
			p.value(e.key)
			p.value(e.value)
		}
		p.WriteString("u")
	case floats:
		p.floats(v)
	case func(pickler):
		v(p)
	default:
		panic(fmt.Sprintf("no pickle of %T", v))
	}
}

func (p pickler) floats(a floats) {
	count := p.array(a.shape)
	p.WriteString("\x8e")
	p.Write(binary.LittleEndian.AppendUint64(nil, uint64(4*count)))
	var raw [4]byte
	for i := range count {
		binary.LittleEndian.PutUint32(raw[:], math.Float32bits(a.element(i)))
		p.Write(raw[:])
	}
	p.WriteString("tb")
}

// array begins one of float32. Its bytes must follow, and "tb".
func (p pickler) array(shape []int) (count int) {
	p.WriteString("cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR(K\x01(")
	count = 1
	for _, n := range shape {
		p.value(n)
		count *= n
	}
	p.WriteString("tcnumpy\ndtype\n\x8c\x02f4\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89")
	return count
}

// rows makes an array [N, L, d] of nested slices.
func rows(values ...[][]float32) floats {
	var all []float32
	for _, row := range values {
		for _, step := range row {
			all = append(all, step...)
		}
	}
	return floats{[]int{len(values), len(values[0]), len(values[0][0])}, func(i int) float32 { return all[i] }}
}

func list[T any](values ...T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// split is a good one of two examples of up to three steps, ids beginning with prefix.
func split(prefix string) dict {
	return dict{
		{"id", list(prefix+"$_$1", prefix+"$_$2")},
		{"raw_text", list("so good", "bad")},
		{"text", rows([][]float32{{1, 2}, {3, 4}, {0, 0}}, [][]float32{{5, 6}, {0, 0}, {0, 0}})},
		{"audio", rows([][]float32{{1}, {2}, {3}, {0}}, [][]float32{{4}, {5}, {0}, {0}})},
		{"vision", rows([][]float32{{1}, {2}}, [][]float32{{3}, {0}})},
		{"text_bert", rows(
			[][]float32{{101, 2061, 2204, 102, 0}, {1, 1, 1, 1, 0}, {0, 0, 0, 0, 0}},
			[][]float32{{101, 2919, 102, 0, 0}, {1, 1, 1, 0, 0}, {0, 0, 0, 0, 0}})},
		{"regression_labels", list(2.4, -1.0)},
	}
}

func file() dict { return dict{{"train", split("a")}, {"valid", split("b")}, {"test", split("c")}} }

// withTrain changes one key of the training split.
func withTrain(key string, value any) dict { return file().with("train", split("a").with(key, value)) }

func save(t *testing.T, root any) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "features.pkl")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, writePickle(f, root))
	require.NoError(t, f.Close())
	return path
}
