package mmsa

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa/pickle"
)

// described is what testdata/describe.py prints.
type described struct {
	Arrays map[string]struct {
		Type   string
		Shape  []int
		SHA256 string
	}
	Lists     map[string][]any
	Sequences map[string]string
}

func small(t *testing.T) (want described) {
	t.Helper()
	text, err := os.ReadFile("testdata/small.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	return want
}

func smallPath(protocol int) string { return fmt.Sprintf("testdata/small.p%d.pkl", protocol) }

func TestArraysOfASmallFileAreThoseOfNumPy(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		checkArrays(t, smallPath(protocol), small(t))
	}
}

func TestSequencesOfASmallFileAreThoseOfNumPy(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		checkSequences(t, smallPath(protocol), small(t))
	}
}

func TestLabelsOfASmallFileAreThoseOfNumPy(t *testing.T) {
	want := small(t).Lists["train/regression_labels"]
	f, err := Open(smallPath(2))
	require.NoError(t, err)
	defer f.Close()
	for row, label := range f.Splits[0].Labels {
		assert.Equal(t, want[row], label)
		assert.Equal(t, float64(float32(label)), f.Splits[0].Unimodal[data.Text][row])
		assert.Equal(t, label/2, f.Splits[0].Unimodal[data.Audio][row])
	}
}

func TestArraysOfRealFilesAreThoseOfNumPy(t *testing.T) {
	eachRealFile(t, checkArrays)
}

func TestSequencesOfRealFilesAreThoseOfNumPy(t *testing.T) {
	eachRealFile(t, checkSequences)
}

// eachRealFile asks NumPy for the truth.
func eachRealFile(t *testing.T, check func(t *testing.T, path string, want described)) {
	shared := os.Getenv("MMILN_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	python := os.Getenv("MMILN_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import numpy").Run(); err != nil {
		t.Skipf("no NumPy in %s (%v); name a Python that has it in MMILN_PYTHON", python, err)
	}
	for _, name := range []string{"aligned50_229.pkl", "clean752.pkl"} {
		path := filepath.Join(shared, "data", "mosi", name)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("no real data: %v; name the folder that has it in MMILN_SHARED", err)
		}
		printed, err := exec.Command(python, "-B", "testdata/describe.py", path).Output()
		require.NoError(t, err)
		var want described
		require.NoError(t, json.Unmarshal(printed, &want))
		t.Run(name, func(t *testing.T) { check(t, path, want) })
	}
}

// checkArrays compares every array's type, shape and bytes, and every list.
func checkArrays(t *testing.T, path string, want described) {
	t.Helper()
	f, err := pickle.Open(path)
	require.NoError(t, err)
	defer f.Close()
	seen := 0
	for _, split := range data.Splits {
		held, _ := f.Root.(*pickle.Dict).Get(string(split))
		for i, key := range held.(*pickle.Dict).Keys {
			name := fmt.Sprintf("%s/%s", split, key)
			v := held.(*pickle.Dict).Values[i]
			seen++
			a, ok := v.(*pickle.Array)
			if !ok || a.Type.Kind == 'O' {
				checkList(t, name, want.Lists[name], v)
				continue
			}
			sum := sha256.New()
			_, err := io.Copy(sum, a.Raw())
			require.NoError(t, err, name)
			assert.Equal(t, want.Arrays[name].Type, a.Type.String(), name)
			assert.Equal(t, want.Arrays[name].Shape, a.Shape, name)
			assert.Equal(t, want.Arrays[name].SHA256, hex.EncodeToString(sum.Sum(nil)), name)
		}
	}
	assert.Equal(t, len(want.Arrays)+len(want.Lists), seen)
}

func checkList(t *testing.T, name string, want []any, v any) {
	t.Helper()
	if words, err := pickle.Strings(v); err == nil {
		for i, word := range words {
			assert.Equal(t, want[i], word, "%s[%d]", name, i)
		}
		return
	}
	numbers, err := pickle.Numbers(v)
	require.NoError(t, err, name)
	require.Len(t, numbers, len(want), name)
	for i, number := range numbers {
		assert.Equal(t, want[i], number, "%s[%d]", name, i)
	}
}

// checkSequences imports the file and compares what stands in the data set, step by step without padding.
func checkSequences(t *testing.T, path string, want described) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	card, err := Import(path, dir, Options{})
	require.NoError(t, err)
	set, sealed, err := data.Open(dir)
	require.NoError(t, err)
	test, err := sealed.Unseal("comparison with NumPy", func(data.Opening) error { return nil })
	require.NoError(t, err)
	for i, examples := range []data.Examples{set.Train, set.Valid, test} {
		for _, m := range data.Modalities {
			sum := sha256.New()
			empty := 0
			for row := range examples.Len() {
				empty += hashSequence(t, sum, examples, row, m)
			}
			name := string(data.Splits[i]) + "/" + m.String()
			assert.Equal(t, card.Splits[data.Splits[i]].Modalities[m].Empty, empty, name)
			assert.Equal(t, want.Sequences[name], hex.EncodeToString(sum.Sum(nil)), name)
		}
	}
	assert.True(t, strings.HasPrefix(card.Source.Note, "True lengths of text, audio and vision are from padding, audio_lengths and vision_lengths."))
}

// hashSequence leaves out, and counts, a single step of zeros, which stands for a sequence without a step.
func hashSequence(t *testing.T, sum hash.Hash, examples data.Examples, row int, m data.Modality) (empty int) {
	t.Helper()
	batch, err := examples.Batch([]int{row}, [3]int{})
	require.NoError(t, err)
	s := batch.Sequences[m]
	values := s.Values[:int(s.Lengths[0])*s.Width]
	nonzero := false
	for _, v := range values {
		nonzero = nonzero || v != 0
	}
	if !nonzero && s.Lengths[0] == 1 {
		return 1
	}
	require.NoError(t, binary.Write(sum, binary.LittleEndian, values))
	return 0
}
