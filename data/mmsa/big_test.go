//go:build big

package mmsa

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

// Two gigabytes of audio: 2600 sequences of 500 steps of 420 features, each of which repeats one block.
const (
	bigRows, bigSteps, bigWidth = 2600, 500, 420
	bigArray                    = 4 * bigRows * bigSteps * bigWidth
)

func block() []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]float32, bigSteps*bigWidth)
	for i := range all {
		all[i] = float32(random.NormFloat64())
	}
	return all
}

func blockBytes() []byte {
	raw, err := binary.Append(nil, binary.LittleEndian, block())
	if err != nil {
		panic(err)
	}
	return raw
}

// asBytes writes the array as protocol 3 and later do.
func asBytes(p pickler) {
	p.array([]int{bigRows, bigSteps, bigWidth})
	p.WriteString("\x8e")
	p.Write(binary.LittleEndian.AppendUint64(nil, bigArray))
	raw := blockBytes()
	for range bigRows {
		p.Write(raw)
	}
	p.WriteString("tb")
}

// asLatin1 writes it as protocol 2 does: as UTF-8 of the characters that have the bytes as their codes.
func asLatin1(p pickler) {
	p.array([]int{bigRows, bigSteps, bigWidth})
	var text []byte
	for _, b := range blockBytes() {
		text = append(text, string(rune(b))...)
	}
	size := len(text) * bigRows
	if size > math.MaxUint32 {
		panic("too long for protocol 2")
	}
	p.WriteString("c_codecs\nencode\nX")
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
	for range bigRows {
		p.Write(text)
	}
	p.value("latin1")
	p.WriteString("\x86Rtb")
}

func bigSplit(audio func(pickler)) dict {
	var ids []any
	for i := range bigRows {
		ids = append(ids, fmt.Sprint(i))
	}
	ones := func(width int) floats { return floats{[]int{bigRows, 1, width}, func(int) float32 { return 1 }} }
	labels := floats{[]int{bigRows}, func(i int) float32 { return float32(i%7) - 3 }}
	return dict{{"id", ids}, {"raw_text", ids}, {"text", ones(2)}, {"vision", ones(1)}, {"audio", audio}, {"regression_labels", labels}}
}

const childPath, childFolder = "MMSA_TEST_PATH", "MMSA_TEST_FOLDER"

// TestChildImports is the body of the child process of the next test.
func TestChildImports(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		t.Skip("only as a child process")
	}
	begin := time.Now()
	_, err := Import(path, os.Getenv(childFolder), Options{})
	require.NoError(t, err)
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	fmt.Printf("%s in %v\n", regexp.MustCompile(`VmHWM:.*`).Find(status), time.Since(begin).Round(time.Second/10))
}

func TestImportOfTwoGigabytesTakesLittleMemory(t *testing.T) {
	for name, audio := range map[string]func(pickler){"bytes": asBytes, "latin1": asLatin1} {
		t.Run(name, func(t *testing.T) {
			small := func(prefix string) dict { return split(prefix).with("text_bert", absent).with("audio", smallAudio()) }
			path := save(t, dict{{"train", bigSplit(audio)}, {"valid", small("b")}, {"test", small("c")}})
			folder := filepath.Join(t.TempDir(), "set")
			child := exec.Command(os.Args[0], "-test.run=^TestChildImports$", "-test.v")
			child.Env = append(os.Environ(), childPath+"="+path, childFolder+"="+folder)
			output, err := child.CombinedOutput()
			require.NoError(t, err, "%s", output)
			found := regexp.MustCompile(`VmHWM:\s*(\d+) kB in .*`).FindSubmatch(output)
			require.NotNil(t, found, "%s", output)
			kilobytes, err := strconv.Atoi(string(found[1]))
			require.NoError(t, err)
			t.Logf("array of %d MB: %s", bigArray/1_000_000, found[0])
			assert.LessOrEqual(t, float64(kilobytes)*1024, 1.2*bigArray+200e6)
			checkLast(t, folder)
		})
	}
}

func smallAudio() floats {
	return floats{[]int{2, 3, bigWidth}, func(int) float32 { return 1 }}
}

func checkLast(t *testing.T, folder string) {
	set, _, err := data.Open(folder)
	require.NoError(t, err)
	batch, err := set.Train.Batch([]int{bigRows - 1}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, block(), batch.Sequences[data.Audio].Values)
}
