package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Opcodes written by hand.
const (
	proto2 = "\x80\x02"
	proto4 = "\x80\x04"
	array  = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
	float4 = "cnumpy\ndtype\n\x8c\x02f4\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	object = "cnumpy\ndtype\n\x8c\x02O8\x89\x88\x87R(K\x03\x8c\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
)

func short(s string) string { return "\x8c" + string(rune(len(s))) + s }

func parse(pickled string) (any, error) { return Load(strings.NewReader(pickled), int64(len(pickled))) }

// hostile files, each with what its error must say.
func hostile() []struct{ name, pickled, says string } {
	return []struct{ name, pickled, says string }{
		{"os.system by GLOBAL", proto2 + "cos\nsystem\n" + short("true") + "\x85R.", `byte 2: the file asks for "os.system", which is not allowed`},
		{"posix.system by STACK_GLOBAL", proto4 + short("posix") + short("system") + "\x93" + short("true") + "\x85R.", `"posix.system", which is not allowed`},
		{"builtins.eval", proto4 + short("builtins") + short("eval") + "\x93" + short("1") + "\x85R.", `"builtins.eval"`},
		{"builtins.getattr", proto4 + short("builtins") + short("getattr") + "\x93.", `"builtins.getattr"`},
		{"numpy.load", proto2 + "cnumpy\nload\n.", `"numpy.load"`},
		{"torch tensor", proto2 + "ctorch._utils\n_rebuild_tensor_v2\n.", `"torch._utils._rebuild_tensor_v2"`},
		{"pandas frame", proto2 + "cpandas.core.frame\nDataFrame\n.", `"pandas.core.frame.DataFrame"`},
		{"dotted name", proto4 + short("numpy") + short("ndarray.__class__") + "\x93.", `"numpy.ndarray.__class__"`},
		{"empty name", proto2 + "c\n\n.", `"."`},
		{"name that is no string", proto4 + "K\x01K\x02\x93.", "a name is 1 and 2"},
		{"ndarray called", proto2 + "cnumpy\nndarray\n)R.", "numpy.ndarray is called"},
		{"result called", proto2 + array + ")R.", "is called with tuple of 0"},
		{"string called", proto2 + short("os.system") + ")R.", `string "os.system" is called`},
		{"callable called with a list", proto2 + "cnumpy\ndtype\n]R.", "numpy.dtype is called with list of 0"},
		{"array of another class", proto2 + "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\nK\x00\x85C\x01btR.", "only plain numpy.ndarray"},
		{"encode to rot13", proto2 + "c_codecs\nencode\n" + short("b") + short("rot13") + "\x86R.", "only a string in latin1"},
		{"encode of bytes", proto2 + "c_codecs\nencode\nC\x01b" + short("latin1") + "\x86R.", "only a string in latin1"},
		{"bytes of a huge number", proto2 + "c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R.", "only empty bytes"},
		{"state of a dict", proto2 + "})b.", "tuple of 0 is the state of dict of 0"},
		{"state of a name", proto2 + "cnumpy\nndarray\n)b.", "tuple of 0 is the state of numpy.ndarray"},
		{"state that is a dict", proto2 + array + "}b.", "dict of 0 is the state of array"},
		{"PERSID", proto2 + "Pid\n.", "opcode PERSID is not allowed"},
		{"BINPERSID", proto2 + "K\x01Q.", "opcode BINPERSID is not allowed"},
		{"EXT1", proto2 + "\x82\x01.", "opcode EXT1 is not allowed"},
		{"EXT4", proto2 + "\x84\x01\x00\x00\x00.", "opcode EXT4 is not allowed"},
		{"INST", proto2 + "(ios\nsystem\n.", "opcode INST is not allowed"},
		{"OBJ", proto2 + "(cnumpy\ndtype\no.", "opcode OBJ is not allowed"},
		{"NEWOBJ", proto2 + "cnumpy\nndarray\n)\x81.", "opcode NEWOBJ is not allowed"},
		{"NEWOBJ_EX", proto2 + "cnumpy\nndarray\n)}\x92.", "opcode NEWOBJ_EX is not allowed"},
		{"buffer from elsewhere", "\x80\x05\x97.", "opcode NEXT_BUFFER is not allowed"},
		{"protocol 0", "(dp0\n.", "no pickle of protocol 2 or later"},
		{"protocol 1", "}q\x00.", "no pickle of protocol 2 or later"},
		{"protocol 6", "\x80\x06N.", "protocol 6 is not one of 2 to 5"},
		{"zip", "PK\x03\x04", "no pickle"},
		{"nothing", "", "the file ends, at 0 bytes"},
		{"no opcode", proto2 + "\xff.", "0xff is no opcode"},
		{"nothing to stop with", proto2 + ".", "lacks its values"},
		{"tuple of nothing", proto2 + "\x87.", "lacks its values"},
		{"items without a mark", proto2 + "]e.", "lacks its values"},
		{"value below a mark", proto2 + "]N(a.", "lacks its values"},
		{"item of a dict", proto2 + "}Na.", "items are added to dict of 0"},
		{"odd number of keys and values", proto2 + "}(NNNu.", "3 keys and values"},
		{"key of a list", proto2 + "]NNs.", "set in list of 0"},
		{"memo entry of the future", proto2 + "h\x07.", "memo entry 7 of 0"},
		{"memo with a gap", proto2 + "Nr\xff\xff\xff\xff.", "memo entry 4294967295 comes after 0"},
		{"memo bomb", proto4 + "N" + strings.Repeat("\x94", 2<<20) + ".", "more than 1048576 memo entries"},
		{"huge string", proto2 + "X\xff\xff\xff\xffabc", "a value of 4294967295 bytes is announced where 3 are left"},
		{"huge string of protocol 4", proto4 + "\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "18446744073709551615 bytes is announced"},
		{"huge bytes", proto4 + "\x8e\x00\x00\x00\x00\x00\x00\x00\x40abc", "4611686018427387904 bytes is announced"},
		{"huge bytearray", "\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc", "9223372036854775807 bytes is announced"},
		{"huge frame", proto4 + "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.", "9223372036854775807 bytes is announced"},
		{"huge integer", proto2 + "\x8a\xff" + strings.Repeat("\x01", 255) + ".", "an integer of 255 bytes"},
		{"endless name", proto2 + "c" + strings.Repeat("a", 10<<20), "a name is longer than 256 bytes"},
		{"string that is not UTF-8", proto2 + "\x8c\x02\xff\xfe.", "not UTF-8"},
		{"many strings", proto4 + strings.Repeat("X\x00\x00\x01\x00"+strings.Repeat("a", 64<<10)+"\x94", 1100) + ".", "strings take more than 33554432 bytes"},
		{"many operations", proto2 + "]" + strings.Repeat("]a", 3<<20) + ".", "more than 1572864 operations"},
		{"many bytes", proto2 + strings.Repeat("C\x00\x86", 2<<20) + ".", "lacks its values"},
		{"many bytes in pairs", proto2 + "N" + strings.Repeat("C\x00\x86", 2<<20) + ".", "more than 1572864 operations"},
		{"many tuples", proto2 + ")" + strings.Repeat("\x85", 2<<20) + ".", "more than 1572864 operations"},
		{"many dicts", proto2 + "]" + strings.Repeat("}a", 2<<20) + ".", "more than 1572864 operations"},
		{"many names", proto2 + "]" + strings.Repeat("cnumpy.core.multiarray\n_reconstruct\na", 1<<20) + ".", "more than 1572864 operations"},
		{"many arrays", proto2 + "cnumpy.core.multiarray\n_reconstruct\nq\x00(cnumpy\nndarray\nK\x00\x85C\x01btq\x01" + strings.Repeat("h\x00h\x01R\x86", 1<<20) + ".", "more than 1572864 operations"},
		{"many values", proto2 + "(" + strings.Repeat("]", 1<<20) + "t.", "more than 262144 values are under way"},
		{"a million lists deep", proto2 + strings.Repeat("]", 1e6) + strings.Repeat("a", 1e6) + ".", "more than 262144 values are under way"},
		{"a million tuples deep", proto2 + ")" + strings.Repeat("\x85", 1e6) + ".", "nested deeper than 64"},
		{"a million marks deep", proto2 + strings.Repeat("(", 1e6) + ".", "nested deeper than 64"},
		{"65 lists deep", proto2 + strings.Repeat("]", 65) + "N" + strings.Repeat("a", 65) + ".", "nested deeper than 64"},
		{"deepened after it was shared", proto2 + deepened(80), "nested deeper than 64"},
		{"list in itself", proto2 + "]q\x00h\x00a.", "list of 1 contains itself"},
		{"dict in itself", proto2 + "}q\x00" + short("a") + "h\x00s.", `under string "a": a dict of 1 contains itself`},
		{"tuple in its list", proto2 + "]q\x00h\x00\x85a.", "contains itself"},
		{"array of objects in itself", proto2 + array + "q\x00(K\x01K\x01\x85" + object + "\x89]h\x00atb.", "contains itself"},
		{"array without contents", proto2 + array + ".", "an array has no contents"},
		{"array with contents twice", proto2 + withState("K\x01\x85", float4, "\x89", "C\x040000") + "(NNNNNtb.", "an array's state has 5 parts"},
		{"negative dimension", proto2 + withState("J\xff\xff\xff\xff\x85", float4, "\x89", "C\x00"), "impossible dimension"},
		{"dimensions beyond 64 bits", proto2 + withState("J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", float4, "\x89", "C\x00"), "impossible dimension"},
		{"nothing times dimensions beyond 64 bits", proto2 + withState("(K\x00J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", float4, "\x89", "C\x00"), "impossible dimension"},
		{"33 dimensions", proto2 + withState("("+strings.Repeat("K\x01", 33)+"t", float4, "\x89", "C\x040000"), "shape is tuple of 33"},
		{"shape that is a list", proto2 + withState("]", float4, "\x89", "C\x040000"), "shape is list of 0"},
		{"fewer bytes than elements", proto2 + withState("K\x02\x85", float4, "\x89", "C\x040000"), "an array of float32 [2] has 4 bytes"},
		{"more bytes than elements", proto2 + withState("K\x02\x85", float4, "\x89", "C\x09000000000"), "an array of float32 [2] has 9 bytes"},
		{"string for bytes", proto2 + withState("K\x01\x85", float4, "\x89", short("0000")), `an array of float32 [1] has string "0000"`},
		{"objects for bytes", proto2 + withState("K\x01\x85", float4, "\x89", "]"), "an array of float32 [1] has list of 0"},
		{"bytes for objects", proto2 + withState("K\x01\x85", object, "\x89", "C\x0800000000"), "an array of object [1] has 8 bytes"},
		{"other number of objects", proto2 + withState("K\x02\x85", object, "\x89", "]"), "an array of object [2] has list of 0"},
		{"Fortran order", proto2 + withState("K\x02K\x02\x86", float4, "\x88", "C\x100000000000000000"), "Fortran order"},
		{"dtype that is none", proto2 + withState("K\x01\x85", "K\x04", "\x89", "C\x040000"), "an array's dtype is 4"},
		{"dtype without state", proto2 + withState("K\x01\x85", "cnumpy\ndtype\n\x8c\x02f4\x85R", "\x89", "C\x040000"), "an array's dtype is dtype"},
		{"dtype of records", proto2 + "cnumpy\ndtype\n\x8c\x02V8\x89\x88\x87R.", `dtype "V8" is not among`},
		{"dtype of times", proto2 + "cnumpy\ndtype\n\x8c\x02M8\x89\x88\x87R.", `dtype "M8" is not among`},
		{"dtype of complex numbers", proto2 + "cnumpy\ndtype\n\x8c\x03c16\x89\x88\x87R.", `dtype "c16" is not among`},
		{"dtype of negative size", proto2 + "cnumpy\ndtype\n\x8c\x03U-1\x89\x88\x87R.", `dtype "U-1" is not among`},
		{"dtype of huge size", proto2 + "cnumpy\ndtype\n\x8c\x0aU999999999\x89\x88\x87R.", `dtype "U999999999" is not among`},
		{"dtype with fields", proto2 + strings.Replace(float4, "NNN", "N)}", 1) + ".", "structured dtypes are not allowed"},
		{"dtype with another size", proto2 + strings.Replace(float4, "NNNJ\xff\xff\xff\xff", "NNNK\x08", 1) + ".", "a dtype of 4 bytes has an element size of 8"},
		{"dtype with state twice", proto2 + float4 + "(NNNNNNNNtb.", "a dtype's state has 8 parts"},
		{"scalar of objects", proto2 + "cnumpy.core.multiarray\nscalar\n" + object + "]Na\x86R.", "a scalar of objects is not allowed"},
		{"scalar of too few bytes", proto2 + "cnumpy.core.multiarray\nscalar\n" + float4 + "C\x0200\x86R.", "an array of float32 [] has 2 bytes"},
		{"scalar that is no latin1", proto2 + "cnumpy.core.multiarray\nscalar\n" + float4 + latin1Of("情0") + "\x86R.", "characters beyond latin1"},
		{"array from one part", proto2 + "cnumpy._core.numeric\n_frombuffer\nC\x00\x85R.", "an array is made of 1 parts"},
		{"Python 2", proto2 + "U\x01a.", "opcode SHORT_BINSTRING is not allowed"},
	}
}

func withState(shape, dtype, fortran, contents string) string {
	return array + "(K\x01" + shape + dtype + fortran + contents + "tb"
}

func latin1Of(s string) string {
	return "c_codecs\nencode\n" + short(s) + short("latin1") + "\x86R"
}

// deepened nests n lists from the outside in, so that none is deep when it is added.
func deepened(n int) string {
	var b strings.Builder
	b.WriteString("]q\x00")
	for i := 1; i < n; i++ {
		b.Write([]byte{'h', byte(i - 1), ']', 'q', byte(i), 'a'})
	}
	return b.String() + "h\x00."
}

func TestHostilePicklesAreRefusedByNameWithTheRemedyWithinASecond(t *testing.T) {
	for _, h := range hostile() {
		t.Run(h.name, func(t *testing.T) {
			quickest := time.Hour
			for try := 0; try < 3 && quickest > time.Second; try++ { // others may keep the machine busy
				begin := time.Now()
				_, err := parse(h.pickled)
				quickest = min(quickest, time.Since(begin))
				require.ErrorContains(t, err, h.says)
				assert.Regexp(t, "save it again|download it again", err.Error())
				assert.Less(t, len(err.Error()), 600)
			}
			assert.Less(t, quickest, time.Second)
		})
	}
}

func TestErrorsOfTheMachineNameTheOffset(t *testing.T) {
	_, err := parse(proto2 + "NNN" + "cos\nsystem\n.")
	assert.ErrorContains(t, err, "byte 5: ")
}

func TestErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "features.pkl")
	require.NoError(t, os.WriteFile(path, []byte(proto2+"cos\nsystem\n."), 0o666))
	_, err := Open(path)
	assert.ErrorContains(t, err, path+": byte 2: ")
}

func TestAFolderIsNoPickle(t *testing.T) {
	_, err := Open(t.TempDir())
	assert.ErrorContains(t, err, "is not a regular file")
}

func TestAFileCutShortAtAnyByteIsAnError(t *testing.T) {
	for _, name := range []string{"small.p2.pkl", "small.p5.pkl"} {
		whole, err := os.ReadFile(filepath.Join("..", "testdata", name))
		require.NoError(t, err)
		for n := range whole {
			root, err := Load(bytes.NewReader(whole[:n]), int64(n))
			require.Error(t, err, "%s cut to %d bytes", name, n)
			require.Nil(t, root)
		}
	}
}

// Lists of two references each would be 2⁴⁰ lists if they were copied.
func TestSharedListsAreNotMultiplied(t *testing.T) {
	var b strings.Builder
	b.WriteString(proto4 + "]\x94")
	for i := range 40 {
		b.Write([]byte{']', 'h', byte(i), 'a', 'h', byte(i), 'a', 0x94})
	}
	_, err := parse(b.String() + ".")
	assert.NoError(t, err)
}

func TestBytesMissingFromALongStringShowWhileReading(t *testing.T) {
	for _, c := range []struct{ contents, says string }{
		{strings.Repeat("é", 40000), "too few bytes"}, // 80000 bytes stored
		{strings.Repeat("a", 80001), "more bytes"},
		{strings.Repeat("情", 20000) + strings.Repeat("a", 20000), "characters beyond latin1"},
	} {
		long := "c_codecs\nencode\nX" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(c.contents)))) + c.contents +
			short("latin1") + "\x86R"
		root, err := parse(proto2 + withState("J\x20\x4e\x00\x00\x85", float4, "\x89", long) + ".")
		require.NoError(t, err)
		_, err = Numbers(root)
		assert.ErrorContains(t, err, c.says)
	}
}

const childFolder = "PICKLE_TEST_FOLDER"

// TestChildOpensAFolder is the body of the child process of the next test.
func TestChildOpensAFolder(t *testing.T) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		t.Skip("only as a child process")
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.pkl"))
	require.NoError(t, err)
	for _, path := range paths {
		_, err := Open(path)
		require.Error(t, err, path)
	}
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	fmt.Printf("%s\n", regexp.MustCompile(`VmHWM:.*`).Find(status))
}

func TestHostileFilesTakeLittleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is read from /proc")
	}
	folder := t.TempDir()
	for i, h := range hostile() {
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.pkl", i)), []byte(h.pickled), 0o666))
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChildOpensAFolder$", "-test.v")
	child.Env = append(os.Environ(), childFolder+"="+folder)
	output, err := child.CombinedOutput()
	require.NoError(t, err, "%s", output)
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(output)
	require.NotNil(t, found, "%s", output)
	kilobytes, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	t.Logf("peak memory %d MiB", kilobytes>>10)
	assert.Less(t, kilobytes, 256<<10)
}

// walk reads all that a value offers.
func walk(v any, depth int) {
	_ = Kind(v)
	_, _ = Strings(v)
	_, _ = Numbers(v)
	if a, ok := v.(*Array); ok {
		_, _ = io.Copy(io.Discard, a.Raw())
		if rows, err := a.Rows(); err == nil {
			row := make([]float64, rows.width)
			for rows.Next(row) == nil && rows.next < 1000 {
			}
		}
	}
	if holder, ok := v.(container); ok && depth < 6 {
		keys, values := holder.children()
		for _, child := range append(keys[:len(keys):len(keys)], values...) {
			walk(child, depth+1)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, h := range hostile() {
		if len(h.pickled) < 4096 {
			f.Add([]byte(h.pickled))
		}
	}
	paths, err := filepath.Glob("testdata/*.pkl")
	require.NoError(f, err)
	for _, path := range paths {
		pickled, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(pickled)
	}
	f.Fuzz(func(t *testing.T, pickled []byte) {
		root, err := Load(bytes.NewReader(pickled), int64(len(pickled)))
		if err != nil {
			assert.Nil(t, root)
			return
		}
		walk(root, 0)
	})
}
