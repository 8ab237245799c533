package mmsa

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

// imported writes root as a pickle and opens what becomes of it.
func imported(t *testing.T, root dict) *data.Development {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	_, err := Import(save(t, root), dir, Options{})
	require.NoError(t, err)
	set, _, err := data.Open(dir)
	require.NoError(t, err)
	return set
}

// sequence is the steps of one example of the training split.
func sequence(t *testing.T, set *data.Development, row int, m data.Modality) []float32 {
	t.Helper()
	batch, err := set.Train.Batch([]int{row}, [3]int{})
	require.NoError(t, err)
	s := batch.Sequences[m]
	return s.Values[:int(s.Lengths[0])*s.Width]
}

func TestImportKeepsIDsWordsAndLabels(t *testing.T) {
	set := imported(t, file())
	first, second := set.Train.Info(0), set.Train.Info(1)
	assert.Equal(t, "a$_$1", first.ID)
	assert.Equal(t, "so good", first.Words)
	assert.Equal(t, float32(2.4), first.Label)
	assert.Equal(t, "a$_$2", second.ID)
	assert.True(t, math.IsNaN(float64(first.Unimodal[data.Text])))
}

func TestPaddingOfZerosIsTakenOffTheEnd(t *testing.T) {
	set := imported(t, file())
	assert.Equal(t, [3]int{2, 3, 2}, set.Train.Info(0).Lengths)
	assert.Equal(t, [3]int{1, 2, 1}, set.Train.Info(1).Lengths)
	assert.Equal(t, []float32{1, 2, 3, 4}, sequence(t, set, 0, data.Text))
	assert.Equal(t, []float32{4, 5}, sequence(t, set, 1, data.Audio))
}

func TestTokensAreTheIDsUnderTheMask(t *testing.T) {
	set := imported(t, file())
	batch, err := set.Train.Batch([]int{1}, [3]int{3, 0, 0})
	require.NoError(t, err)
	assert.Equal(t, []int32{101, 2919, 102}, batch.Tokens)
	assert.Equal(t, 4, set.Train.Info(0).Tokens)
}

func TestUnimodalLabelsOfSIMSAreKept(t *testing.T) {
	root := dict{}
	for _, e := range file() {
		s := e.value.(dict).with("regression_labels_T", list(0.2, 0.4)).with("regression_labels_A", list(-0.2, 0.0)).
			with("regression_labels_V", list(1.0, -1.0))
		root = append(root, entry{e.key, s})
	}
	set := imported(t, root)
	assert.Equal(t, [3]float32{0.2, -0.2, 1}, set.Train.Info(0).Unimodal)
	assert.Equal(t, [3]bool{true, true, true}, set.Schema().Unimodal)
}

func TestLabelsMayBeAColumn(t *testing.T) {
	labels := floats{[]int{2, 1}, func(i int) float32 { return float32(i) - 0.5 }}
	set := imported(t, withTrain("regression_labels", labels))
	assert.Equal(t, float32(-0.5), set.Train.Info(0).Label)
}

func TestTextBERTMayBeMissing(t *testing.T) {
	root := dict{}
	for _, e := range file() {
		root = append(root, entry{e.key, e.value.(dict).with("text_bert", absent)})
	}
	assert.Zero(t, imported(t, root).Schema().Tokens)
}

func TestAStatedLengthHoldsOverPadding(t *testing.T) {
	set := imported(t, withTrain("audio_lengths", list(4, 1)))
	assert.Equal(t, []float32{1, 2, 3, 0}, sequence(t, set, 0, data.Audio))
	assert.Equal(t, []float32{4}, sequence(t, set, 1, data.Audio))
}

func TestPaddingAtTheFrontMovesToTheEnd(t *testing.T) {
	front := rows([][]float32{{0}, {0}, {7}, {8}}, [][]float32{{0}, {0}, {0}, {9}})
	set := imported(t, withTrain("audio", front))
	assert.Equal(t, []float32{7, 8}, sequence(t, set, 0, data.Audio))
	assert.Equal(t, []float32{9}, sequence(t, set, 1, data.Audio))
}

func TestAStatedLengthKeepsZerosThatBeginAFrontPaddedSequence(t *testing.T) {
	front := rows([][]float32{{0}, {0}, {7}, {8}}, [][]float32{{0}, {0}, {0}, {9}})
	root := file().with("train", split("a").with("audio", front).with("audio_lengths", list(3, 2)))
	set := imported(t, root)
	assert.Equal(t, []float32{0, 7, 8}, sequence(t, set, 0, data.Audio))
	assert.Equal(t, []float32{0, 9}, sequence(t, set, 1, data.Audio))
}

func TestZerosWithinASequenceAreData(t *testing.T) {
	audio := rows([][]float32{{0}, {2}, {0}, {4}}, [][]float32{{0}, {5}, {0}, {0}})
	root := file().with("train", split("a").with("audio", audio).with("audio_lengths", list(4, 2)))
	set := imported(t, root)
	assert.Equal(t, []float32{0, 2, 0, 4}, sequence(t, set, 0, data.Audio))
	assert.Equal(t, []float32{0, 5}, sequence(t, set, 1, data.Audio))
}

// aligned is a training split whose modalities share three steps; its second words have no vector, its last no face.
func aligned() dict {
	text := rows([][]float32{{1, 1}, {0, 0}, {0, 0}}, [][]float32{{2, 2}, {2, 2}, {0, 0}})
	audio := rows([][]float32{{1}, {2}, {0}}, [][]float32{{0}, {4}, {0}})
	vision := rows([][]float32{{1}, {0}, {0}}, [][]float32{{3}, {0}, {0}})
	return split("a").with("text", text).with("audio", audio).with("vision", vision)
}

func TestAlignedModalitiesAreNotCutAlone(t *testing.T) {
	set := imported(t, file().with("train", aligned()))
	assert.Equal(t, [3]int{2, 2, 2}, set.Train.Info(0).Lengths)
	assert.Equal(t, [3]int{2, 2, 2}, set.Train.Info(1).Lengths)
	assert.Equal(t, []float32{0, 4}, sequence(t, set, 1, data.Audio))
}

func TestTextSharesTheStatedLengthsOfAlignedAudioAndVision(t *testing.T) {
	set := imported(t, file().with("train", aligned().with("audio_lengths", list(2, 2)).with("vision_lengths", list(2, 2))))
	assert.Equal(t, []float32{1, 1, 0, 0}, sequence(t, set, 0, data.Text))
}

func TestEqualStepsWithUnequalLengthsAreNotAligned(t *testing.T) {
	set := imported(t, file().with("train", aligned().with("audio_lengths", list(3, 2)).with("vision_lengths", list(2, 2))))
	assert.Equal(t, [3]int{1, 3, 2}, set.Train.Info(0).Lengths)
}

func TestTextPaddedWithOtherThanZerosEndsWithItsMask(t *testing.T) {
	text := rows([][]float32{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {9, 9}}, [][]float32{{1, 1}, {2, 2}, {3, 3}, {9, 9}, {9, 9}})
	set := imported(t, withTrain("text", text))
	assert.Equal(t, 4, set.Train.Info(0).Lengths[data.Text])
	assert.Equal(t, []float32{1, 1, 2, 2, 3, 3}, sequence(t, set, 1, data.Text))
}

func TestWordsAreNotCutByAMaskOfWordPieces(t *testing.T) {
	text := rows([][]float32{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}}, [][]float32{{1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}})
	set := imported(t, withTrain("text", text))
	assert.Equal(t, 5, set.Train.Info(0).Lengths[data.Text])
}

func TestValuesThatAreNotFiniteCountAsZero(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	audio := rows([][]float32{{1}, {nan}, {3}, {inf}}, [][]float32{{nan}, {nan}, {nan}, {nan}})
	set := imported(t, withTrain("audio", audio))
	assert.Equal(t, []float32{1, 0, 3}, sequence(t, set, 0, data.Audio))
	assert.Equal(t, []float32{0}, sequence(t, set, 1, data.Audio))
	card := set.Card().Splits[data.Train].Modalities[data.Audio]
	assert.Equal(t, 1, card.Empty)
	assert.Equal(t, 1, card.NonFinite)
}

func TestTheCardNamesWhatIsNotRead(t *testing.T) {
	root := append(withTrain("speaker", list("x", "y")), entry{"meta", dict{}})
	note := imported(t, root).Card().Source.Note
	assert.Contains(t, note, `Not read: train["speaker"], split "meta".`)
	assert.Contains(t, note, "True lengths of text, audio and vision are from padding, padding and padding.")
}

func TestTheCardNamesWhereLengthsComeFromInEachSplit(t *testing.T) {
	text := rows([][]float32{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {9, 9}}, [][]float32{{1, 1}, {2, 2}, {3, 3}, {9, 9}, {9, 9}})
	root := dict{{"train", split("a").with("text", text)}, {"valid", aligned().with("id", list("x", "y"))}, {"test", split("c").with("vision_lengths", list(2, 1))}}
	assert.Equal(t, "train: True lengths of text, audio and vision are from text_bert's mask, padding and padding. "+
		"valid: True lengths of text, audio and vision are from padding, padding and padding. The three are aligned step by step. "+
		"test: True lengths of text, audio and vision are from padding, padding and vision_lengths.", imported(t, root).Card().Source.Note)
}

func TestTheCardNamesTheFileByItsHash(t *testing.T) {
	path := save(t, file())
	card, err := Import(path, filepath.Join(t.TempDir(), "set"), Options{})
	require.NoError(t, err)
	want, err := data.HashFile(path)
	require.NoError(t, err)
	assert.Equal(t, []data.File{want}, card.Source.Files)
	assert.Equal(t, "mmsa", card.Source.Format)
}

func TestALimitOfLabelsIsKept(t *testing.T) {
	path := save(t, file())
	_, err := Import(path, filepath.Join(t.TempDir(), "set"), Options{Limit: 1})
	assert.ErrorContains(t, err, `train["regression_labels"]: row 0 (a$_$1): label 2.4 is not within ±1`)
	card, err := Import(path, filepath.Join(t.TempDir(), "set"), Options{Limit: 2.5})
	require.NoError(t, err)
	assert.Equal(t, float32(2.5), card.Source.Limit)
}

func TestBadFilesAreRefusedByPlaceAndLeaveNothing(t *testing.T) {
	nan := math.NaN()
	short := rows([][]float32{{1, 2}, {3, 4}, {0, 0}})
	flat := floats{[]int{2, 3}, func(int) float32 { return 1 }}
	mask := func(ids, mask float32) floats {
		return rows([][]float32{{ids}, {mask}, {0}}, [][]float32{{1}, {1}, {0}})
	}
	for _, c := range []struct {
		name string
		root any
		says string
	}{
		{"no dict", list(1.0), "it holds list of 1, not the dict {train, valid, test}"},
		{"no test split", file().with("test", absent), `split "test" is missing`},
		{"split that is a list", file().with("valid", list(1)), `split "valid" is list of 1, not a dict`},
		{"no audio", withTrain("audio", absent), `train["audio"]: the key is missing`},
		{"no id", withTrain("id", absent), `train["id"]: the key is missing`},
		{"no words", withTrain("raw_text", absent), `train["raw_text"]: the key is missing`},
		{"no labels", withTrain("regression_labels", absent), `train["regression_labels"]: the key is missing`},
		{"no examples", withTrain("id", []any{}), `train["id"]: it is empty`},
		{"audio that is a list", withTrain("audio", list(1.0, 2.0)), `train["audio"]: it is list of 2; save one array`},
		{"audio of two dimensions", withTrain("audio", flat), `train["audio"]: it is array of float32 [2 3]`},
		{"ids that are numbers", withTrain("id", list(1, 2)), `train["id"]: row 0 is 1`},
		{"words that are None", withTrain("raw_text", list[any]("so good", nil)), `train["raw_text"]: row 1 is None`},
		{"labels that are words", withTrain("regression_labels", list("good", "bad")), `train["regression_labels"]: row 0 is string "good"`},
		{"fewer texts than ids", withTrain("text", short), `train["text"]: it has 1 rows where "id" has 2`},
		{"more labels than ids", withTrain("regression_labels", list(1.0, 1.0, 1.0)), `train["regression_labels"]: it has 3 rows`},
		{"fewer words than ids", withTrain("raw_text", list("so good")), `train["raw_text"]: it has 1 rows`},
		{"fewer lengths than ids", withTrain("audio_lengths", list(1)), `train["audio_lengths"]: it has 1 rows`},
		{"length beyond the array", withTrain("audio_lengths", list(1, 5)), `train["audio_lengths"]: row 1 (a$_$2): length 5 is not from 0 to the array's 4 steps`},
		{"negative length", withTrain("vision_lengths", list(-1, 1)), `train["vision_lengths"]: row 0 (a$_$1): length -1`},
		{"half a step", withTrain("vision_lengths", list(0.5, 1)), `length 0.5`},
		{"id twice", withTrain("id", list("x", "x")), `train["id"]: row 1: "x" is also row 0 of train`},
		{"id in two splits", file().with("test", split("a")), `test["id"]: row 0: "a$_$1" is also row 0 of train`},
		{"label beyond the limit", withTrain("regression_labels", list(1.0, -3.5)), `train["regression_labels"]: row 1 (a$_$2): label -3.5 is not within ±3`},
		{"label NaN", withTrain("regression_labels", list(1.0, nan)), `row 1 (a$_$2): label NaN`},
		{"unimodal label NaN", withTrain("regression_labels_A", list(nan, 1.0)), `train["regression_labels_A"]: row 0 (a$_$1): label NaN`},
		{"another width", withTrain("audio", rows([][]float32{{1, 1}}, [][]float32{{1, 1}})), `valid["audio"]: a step has 1 features where train has 2`},
		{"tokens in two splits", withTrain("text_bert", absent), `valid["text_bert"]: either all splits have it or none`},
		{"tokens without segments", withTrain("text_bert", rows([][]float32{{1}, {1}}, [][]float32{{1}, {1}})), `train["text_bert"]: it is array of float32 [2 2 1]; save ids, mask and segments as [2, 3, L]`},
		{"mask that is none", withTrain("text_bert", mask(101, 101)), `train["text_bert"]: row 0: the mask is 101 at step 0`},
		{"mask of zeros", withTrain("text_bert", mask(101, 0)), `train["text_bert"]: row 0: the mask is 0 everywhere`},
		{"half a word piece", withTrain("text_bert", mask(0.5, 1)), `train["text_bert"]: row 0: id 0.5 at step 0 is no word piece`},
		{"id of nothing", withTrain("id", list(" ", "x")), `example " " of train: id is empty`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, folder := save(t, c.root), t.TempDir()
			_, err := Import(path, filepath.Join(folder, "set"), Options{})
			require.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, path)
			left, err := os.ReadDir(folder)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestAFolderThatExistsIsNotWrittenTo(t *testing.T) {
	dir := t.TempDir()
	_, err := Import(save(t, file()), dir, Options{})
	assert.ErrorContains(t, err, "exists; choose another folder")
}

func TestAHostileFileIsRefusedByPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evil.pkl")
	require.NoError(t, os.WriteFile(path, []byte("\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."), 0o666))
	_, err := Import(path, filepath.Join(t.TempDir(), "set"), Options{})
	assert.ErrorContains(t, err, path+`: byte 2: the file asks for "os.system", which is not allowed and was not run`)
}
