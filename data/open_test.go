package data_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

func open(t testing.TB, dir string) (*data.Development, *data.Sealed) {
	t.Helper()
	d, sealed, err := data.Open(dir)
	require.NoError(t, err)
	return d, sealed
}

func TestTheIndexGivesBackWhatWasAdded(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	for split, examples := range map[data.SplitName]data.Examples{data.Train: d.Train, data.Valid: d.Valid} {
		require.Equal(t, sizes[split], examples.Len())
		for i := range examples.Len() {
			want := example(split, i)
			want.Info.Tokens = len(want.Tokens)
			assert.Equal(t, fmt.Sprint(want.Info), fmt.Sprint(examples.Info(i))) // NaN is not equal to itself
		}
	}
}

func TestLabelsLoseNoBit(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	e := example(data.Train, 20)
	e.Info.Label, e.Info.Unimodal[data.Audio] = 0.1+1e-8, -1e-38
	require.NoError(t, w.Add(data.Train, e))
	_, err := w.Close()
	require.NoError(t, err)
	d, _ := open(t, dir)
	got := d.Train.Info(d.Train.Len() - 1)
	assert.Equal(t, e.Info.Label, got.Label)
	assert.Equal(t, e.Info.Unimodal[data.Audio], got.Unimodal[data.Audio])
}

func TestWordsComeBackOnOneLine(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	e := example(data.Train, 20)
	e.Info.ID, e.Info.Words = "Ω, \"quoted\"", " one,\r\n\"two\"\tthree \xff"
	require.NoError(t, w.Add(data.Train, e))
	_, err := w.Close()
	require.NoError(t, err)
	d, _ := open(t, dir)
	got := d.Train.Info(d.Train.Len() - 1)
	assert.Equal(t, e.Info.ID, got.ID)
	assert.Equal(t, "one, \"two\" three �", got.Words)
}

func TestTheSchemaCoversAllSplitsButLabelsOfTest(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	e := example(data.Test, 20)
	e.Info.Unimodal[data.Audio] = 1
	require.NoError(t, w.Add(data.Test, e))
	_, err := w.Close()
	require.NoError(t, err)
	d, _ := open(t, dir)
	assert.Equal(t, data.Schema{Width: [3]int{2, 3, 0}, Length: [3]int{21, 1, 0}, Tokens: 23, Unimodal: [3]bool{true, false, false}}, d.Schema())
}

func TestTheCardIsThatOfTheWriter(t *testing.T) {
	dir, card := save(t)
	d, _ := open(t, dir)
	assert.Equal(t, card, d.Card())
}

func TestAFolderWithoutACardIsNoDataSet(t *testing.T) {
	dir := t.TempDir()
	_, _, err := data.Open(dir)
	assert.ErrorContains(t, err, dir+": it is not the folder of a data set")
}

// spoilCard edits the card as JSON.
func spoilCard(t *testing.T, dir string, edit func(card map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, "card.json")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var card map[string]any
	require.NoError(t, json.Unmarshal(content, &card))
	edit(card)
	content, err = json.Marshal(card)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o666))
}

func TestACardThatCannotBeIsRefused(t *testing.T) {
	inSource := func(field string, value any) func(map[string]any) {
		return func(card map[string]any) { card["source"].(map[string]any)[field] = value }
	}
	for want, edit := range map[string]func(map[string]any){
		"card.json: format_version is 7 and this program reads 1":                    func(c map[string]any) { c["format_version"] = 7 },
		"card.json: source: width of text is -2":                                     inSource("width", []int{-2, 3, 0}),
		"card.json: source: limit of labels is 0":                                    inSource("limit", 0),
		`card.json: sha256 has no "train.vision.npy"`:                                inSource("width", []int{2, 3, 4}),
		`card.json: sha256 has no "index.csv"`:                                       func(c map[string]any) { delete(c, "sha256") },
		"card.json: json: cannot unmarshal":                                          func(c map[string]any) { c["splits"] = 1 },
		"index.csv has 9 examples in train and card.json says 0":                     func(c map[string]any) { delete(c, "splits") },
		"train.text.npy holds <f4 [45 2] and must hold <f4 [45 4611686018427387904]": inSource("width", []int{1 << 62, 3, 0}),
		"train.text.npy holds <f4 [45 2] and must hold <f4 [45 5] to fit index.csv":  inSource("width", []int{5, 3, 0}),
		"len_text is 1, which contradicts the widths":                                inSource("width", []int{0, 3, 0}),
		"len_tokens is 3, which contradicts the widths":                              inSource("tokens", false),
	} {
		dir, _ := save(t)
		spoilCard(t, dir, edit)
		_, _, err := data.Open(dir)
		assert.ErrorContains(t, err, want)
	}
}

// edit replaces a string in a file of a data set and brings the card's hash up to date.
func edit(t *testing.T, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), from)
	content = []byte(strings.Replace(string(content), from, to, 1))
	require.NoError(t, os.WriteFile(path, content, 0o666))
	spoilCard(t, dir, func(card map[string]any) {
		sum := sha256.Sum256(content)
		card["sha256"].(map[string]any)[name] = hex.EncodeToString(sum[:])
	})
}

func TestAnIndexThatCannotBeNamesTheLineAndTheField(t *testing.T) {
	const second = "train,1,train-1,-2,0.1,,,2,1,0,4,so it goes\n" // on line 3
	for want, to := range map[string]string{
		"index.csv:3: label is \"x\", which is not a number":        strings.Replace(second, "-2", "x", 1),
		"index.csv:3: label is \"\", which is not a number":         strings.Replace(second, "-2", "", 1),
		"index.csv:3: label is NaN and must lie in [-3, 3]":         strings.Replace(second, "-2", "NaN", 1),
		"index.csv:3: label is 3.5 and must lie in [-3, 3]":         strings.Replace(second, "-2", "3.5", 1),
		"index.csv:3: label_text is -Inf and must lie in [-3, 3]":   strings.Replace(second, "0.1", "-inf", 1),
		"index.csv:3: id is empty":                                  strings.Replace(second, "train-1", "", 1),
		"index.csv:3: id \"train-0\" comes twice in train":          strings.Replace(second, "train-1", "train-0", 1),
		"index.csv:3: split is \"dev\"; it must be":                 strings.Replace(second, "train", "dev", 1),
		"index.csv:3: row is \"7\", and the next of train is 1":     strings.Replace(second, ",1,", ",7,", 1),
		"index.csv:3: len_text is \"-2\", which is not a length":    strings.Replace(second, ",2,1,0", ",-2,1,0", 1),
		"index.csv:3: len_text is \"9999999999\", which is not a":   strings.Replace(second, ",2,1,0", ",9999999999,1,0", 1),
		"index.csv:3: len_audio is 0, which contradicts the widths": strings.Replace(second, ",2,1,0", ",2,0,0", 1),
		"index.csv:3: len_vision is 1, which contradicts":           strings.Replace(second, ",2,1,0", ",2,1,1", 1),
		"index.csv: record on line 3: wrong number of fields":       "train,1\n",
		"index.csv:3: row is \"2\", and the next of train is 1":     "",
		"train.text.npy holds <f4 [45 2] and must hold <f4 [46 2]":  strings.Replace(second, ",2,1,0", ",3,1,0", 1),
		"train.tokens.npy holds <i4 [63] and must hold <i4 [64]":    strings.Replace(second, ",4,so", ",5,so", 1),
	} {
		dir, _ := save(t)
		edit(t, dir, "index.csv", second, to)
		_, _, err := data.Open(dir)
		assert.ErrorContains(t, err, want)
	}
}

func TestAnIndexIsComparedWithTheCard(t *testing.T) {
	for want, change := range map[string][2]string{
		"index.csv has 8 examples in train and card.json says 9":      {"train,8,train-8,-2,0.8,,,9,1,0,11,so it goes\n", ""},
		`index.csv:12: id "train-1" is in train and in valid`:         {"valid-1", "train-1"},
		`index.csv:1: column "len_audio" is missing; import the data`: {"len_audio", "len_sound"},
	} {
		dir, _ := save(t)
		edit(t, dir, "index.csv", change[0], change[1])
		_, _, err := data.Open(dir)
		assert.ErrorContains(t, err, want)
	}
}

func TestAnEmptyIndexIsRefused(t *testing.T) {
	dir, _ := save(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.csv"), nil, 0o666))
	_, _, err := data.Open(dir)
	assert.ErrorContains(t, err, "index.csv: it has no header")
}

// Labels that someone corrected by hand would run under the hash of those before.
func TestAnIndexEditedByHandIsRefused(t *testing.T) {
	dir, _ := save(t)
	path := filepath.Join(dir, "index.csv")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(content), "train-1,-2", "train-1,-1", 1)), 0o666))
	_, _, err = data.Open(dir)
	assert.ErrorContains(t, err, "index.csv was changed after card.json was written")
}

func TestFurtherColumnsAreAllowed(t *testing.T) {
	dir, _ := save(t)
	path := filepath.Join(dir, "index.csv")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	edit(t, dir, "index.csv", string(content), "speaker,"+strings.ReplaceAll(strings.TrimSuffix(string(content), "\n"), "\n", "\nada,")+"\n")
	open(t, dir)
}

func TestEveryArrayThatIsCutOffIsNamed(t *testing.T) {
	for _, split := range data.Splits {
		for _, array := range []string{"text", "audio", "tokens"} {
			dir, _ := save(t)
			name := fmt.Sprintf("%s.%s.npy", split, array)
			path := filepath.Join(dir, name)
			stat, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, stat.Size()-4))
			_, _, err = data.Open(dir)
			assert.ErrorContains(t, err, name)
			assert.ErrorContains(t, err, "import the data again")
			require.NoError(t, os.Remove(path))
			_, _, err = data.Open(dir)
			assert.ErrorContains(t, err, name)
		}
	}
}

func TestAnArrayOfAnotherTypeIsRefused(t *testing.T) {
	dir, _ := save(t)
	edit(t, dir, "train.audio.npy", "<f4", "<i4")
	_, _, err := data.Open(dir)
	assert.ErrorContains(t, err, "train.audio.npy holds <i4 [9 3] and must hold <f4 [9 3]")
}

func TestAHeaderBombIsRefusedAtOnce(t *testing.T) {
	dir, _ := save(t)
	edit(t, dir, "train.audio.npy", "(9, 3), }          ", "(999999999999, 3), }")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	_, _, err := data.Open(dir)
	assert.ErrorContains(t, err, "needs 11999999999988 bytes and 109 follow")
	assert.Less(t, time.Since(start), time.Second)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<22))
}

func TestVerifyAcceptsWhatWasWritten(t *testing.T) {
	dir, _ := save(t)
	assert.NoError(t, data.Verify(dir))
}

func TestVerifyNamesTheFirstFileOfWhichABitChanged(t *testing.T) {
	_, card := save(t)
	for name := range card.Files {
		dir, _ := save(t)
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		content[len(content)-1] ^= 1
		require.NoError(t, os.WriteFile(path, content, 0o666))
		assert.ErrorContains(t, data.Verify(dir), path+" has SHA-256 ")
	}
}

func TestVerifyNamesAFileThatIsGone(t *testing.T) {
	dir, _ := save(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "test.text.npy")))
	assert.ErrorContains(t, data.Verify(dir), "test.text.npy: no such file")
}
