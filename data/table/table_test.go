package table_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/npy"
	"github.com/mmiln/workbench/data/table"
)

const csv = `id,label,split,text,mine
a,1.5,train,"so good, so far",0.5
b,-2,dev,bad,
c,0,test,,-1
d,3,,left out,
`

// files writes a table, audio of [4, 2] and vision of [4, 3, 1] to a folder.
func files(t *testing.T, csv string) (string, [3]string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "table.csv")
	require.NoError(t, os.WriteFile(path, []byte(csv), 0o666))
	arrays := [3]string{data.Audio: filepath.Join(dir, "audio.npy"), data.Vision: filepath.Join(dir, "vision.npy")}
	save(t, arrays[data.Audio], []float32{1, 2, 3, 4, 5, 6, 7, 8}, 2)
	save(t, arrays[data.Vision], []float32{1, 2, 3, 0, 4, 0, 0, 0, 0, 9, 9, 9}, 3, 1)
	return path, arrays
}

func save(t *testing.T, path string, values []float32, row ...int) {
	t.Helper()
	s, err := npy.Create(path, npy.Float32, row...)
	require.NoError(t, err)
	require.NoError(t, s.Floats(values))
	require.NoError(t, s.Close())
}

func TestATableAndItsArraysBecomeADataSet(t *testing.T) {
	csvPath, arrays := files(t, "\ufeff"+csv)
	dir := filepath.Join(t.TempDir(), "set")
	card, err := table.Import(csvPath, arrays, dir, table.Options{Unimodal: [3]string{"mine"}})
	require.NoError(t, err)
	assert.Equal(t, []data.Exclusion{{ID: "d", Reason: "its split is empty"}}, card.Exclusions)
	assert.Equal(t, 1, card.Splits[data.Test].Modalities[data.Vision].Empty)
	require.Len(t, card.Source.Files, 3)

	d, _, err := data.Open(dir)
	require.NoError(t, err)
	info := d.Train.Info(0)
	assert.Equal(t, "so good, so far", info.Words)
	assert.Equal(t, float32(1.5), info.Label)
	assert.Equal(t, float32(0.5), info.Unimodal[data.Text])
	assert.Equal(t, [3]int{0, 1, 3}, info.Lengths)
	b, err := d.Valid.Batch([]int{0}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 4}, b.Sequences[data.Audio].Values)
	assert.Equal(t, []float32{0, 4}, b.Sequences[data.Vision].Values, "up to the last step that is not zero")
	assert.Equal(t, 0, b.Sequences[data.Text].Width)
}

func TestATableThatCannotBeNamesTheLineAndTheColumn(t *testing.T) {
	for want, content := range map[string]string{
		`table.csv:1: there is no column "label" among`:                     strings.Replace(csv, "label", "score", 1),
		`table.csv: it has no header: EOF; name the columns`:                "",
		`table.csv:3: label is "bad", which is not a number`:                strings.Replace(csv, "-2", "bad", 1),
		`table.csv:2: mine is "?", which is not a number`:                   strings.Replace(csv, "0.5", "?", 1),
		`table.csv:3: data: example "b" of valid: label is 7 and must`:      strings.Replace(csv, "-2", "7", 1),
		`table.csv:3: split is "holdout"; use train, valid or test`:         strings.Replace(csv, "dev", "holdout", 1),
		`table.csv:4: data: example "a" of test: id "a" is in train and in`: strings.Replace(csv, "c,", "a,", 1),
		`table.csv: record on line 3: wrong number of fields; quote`:        strings.Replace(csv, "bad", "bad, worse", 1),
		`table.csv has 3 lines and`:                                         strings.Replace(csv, "d,3,,left out,\n", "", 1),
		`audio.npy has only 4 rows`:                                         csv + "e,1,train,x,\n",
	} {
		csvPath, arrays := files(t, content)
		dir := filepath.Join(t.TempDir(), "set")
		_, err := table.Import(csvPath, arrays, dir, table.Options{Unimodal: [3]string{"mine"}})
		assert.ErrorContains(t, err, want)
		left, err := os.ReadDir(filepath.Dir(dir))
		require.NoError(t, err)
		assert.Empty(t, left, want)
	}
}

func TestAnArrayOfAnotherKindIsRefused(t *testing.T) {
	csvPath, arrays := files(t, csv)
	for want, row := range map[string][]int{
		"its shape is [8]; save an array of [N, width]":   nil,
		"its shape is [1 2 2 2]; save an array of":        {2, 2, 2},
		"its shape is [0 2]; save an array of [N, width]": {2},
	} {
		path := filepath.Join(t.TempDir(), "audio.npy")
		values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
		if len(row) == 1 {
			values = nil
		}
		save(t, path, values, row...)
		_, err := table.Import(csvPath, [3]string{data.Audio: path, data.Vision: arrays[data.Vision]}, t.TempDir()+"/set", table.Options{})
		assert.ErrorContains(t, err, want)
	}
}

// Whatever a table holds, importing it ends in an error or in a data set that opens.
func FuzzImport(f *testing.F) {
	f.Add(csv)
	f.Add("id,label,split,text\na,1,train,x\nb,1e9,valid,x\nc,1,test,\"x\n")
	root := f.TempDir()
	path, array := filepath.Join(root, "table.csv"), filepath.Join(root, "audio.npy")
	s, err := npy.Create(array, npy.Float32, 1)
	require.NoError(f, err)
	require.NoError(f, s.Floats([]float32{1, 2, 3, 4}))
	require.NoError(f, s.Close())
	f.Fuzz(func(t *testing.T, content string) {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
		dir := filepath.Join(t.TempDir(), "set")
		if _, err := table.Import(path, [3]string{data.Audio: array}, dir, table.Options{}); err != nil {
			assert.NoDirExists(t, dir)
			return
		}
		_, _, err := data.Open(dir)
		require.NoError(t, err)
	})
}

// The real table of CMU-MOSI; see the README of the shared folder.
func TestTheWholeOfMOSIIsImported(t *testing.T) {
	shared := os.Getenv("MMILN_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	csvPath := filepath.Join(shared, "data/mosi/mosi_2199.csv")
	if _, err := os.Stat(csvPath); err != nil {
		t.Skip("no real data: set MMILN_SHARED to a folder with data/mosi/mosi_2199.csv")
	}
	arrays := [3]string{data.Audio: filepath.Join(shared, "data/mosi/mosi_2199_audio73.npy")}
	dir := filepath.Join(t.TempDir(), "mosi")
	card, err := table.Import(csvPath, arrays, dir, table.Options{Split: "std_fold"})
	require.NoError(t, err)
	var sizes []string
	for _, split := range data.Splits {
		sizes = append(sizes, fmt.Sprint(card.Splits[split].Examples))
	}
	assert.Equal(t, "1284 229 686", strings.Join(sizes, " "))
	assert.NoError(t, data.Verify(dir))
}
