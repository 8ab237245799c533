package textenc_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// tokensGolden is testdata/tokens.json.
type tokensGolden struct {
	Texts      []string
	IDs        [][]int32
	Cased      [][]int32
	Short      [][]int32
	Characters string
}

func readTokens(t testing.TB) (golden tokensGolden) {
	content, err := os.ReadFile("testdata/tokens.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &golden))
	return golden
}

// sameTokens compares the ids of each text, cut as transformers cuts them to 64.
func sameTokens(t *testing.T, texts []string, want, got [][]int32) {
	for i, text := range texts {
		if len(want[i]) > 64 {
			want[i] = append(slices.Clone(want[i][:63]), want[i][len(want[i])-1])
		}
		require.Equal(t, want[i], got[i], "%.60q", text)
	}
}

func tokenize(t testing.TB, encoder *textenc.Encoder, texts []string, most int) [][]int32 {
	tokens, err := encoder.Tokenize(texts, most)
	require.NoError(t, err)
	return tokens.IDs
}

func TestWordPiecesAreThoseOfTransformers(t *testing.T) {
	golden := readTokens(t)
	sameTokens(t, golden.Texts, golden.IDs, tokenize(t, tiny(t), golden.Texts, 0))
}

func TestLongTextsAreCutAsTransformersCutsThem(t *testing.T) {
	golden := readTokens(t)
	require.Equal(t, golden.Short, tokenize(t, tiny(t), golden.Texts, 6))
}

func TestEveryCharacterIsTreatedAsTransformersTreatsIt(t *testing.T) {
	encoder, digest := tiny(t), sha256.New()
	var texts []string
	for r := range rune(0x110000) {
		if r < 0xd800 || r > 0xdfff {
			texts = append(texts, "a"+string(r)+"b")
		}
	}
	for _, ids := range tokenize(t, encoder, texts, 0) {
		writeLine(digest, ids)
	}
	require.Equal(t, readTokens(t).Characters, hex.EncodeToString(digest.Sum(nil)))
}

func writeLine(out interface{ Write([]byte) (int, error) }, ids []int32) {
	fmt.Fprintln(out, strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ","))
}

// onlyVocabulary is tiny with a vocab.txt and these settings in place of tokenizer.json.
func onlyVocabulary(t *testing.T, settings string) *textenc.Encoder {
	dir := copyTiny(t)
	var described struct {
		Model struct{ Vocab map[string]int }
	}
	content, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &described))
	pieces := make([]string, len(described.Model.Vocab))
	for piece, id := range described.Model.Vocab {
		pieces[id] = piece
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "tokenizer.json")))
	write(t, dir, "vocab.txt", strings.Join(pieces, "\n")+"\n")
	write(t, dir, "tokenizer_config.json", settings)
	encoder, err := textenc.Open(dir)
	require.NoError(t, err)
	return encoder
}

func TestVocabularyAloneGivesTheSameWordPieces(t *testing.T) {
	golden := readTokens(t)
	sameTokens(t, golden.Texts, golden.IDs, tokenize(t, onlyVocabulary(t, "{}"), golden.Texts, 0))
}

func TestCaseAndAccentsAreKeptWhereTheModelIsCased(t *testing.T) {
	golden := readTokens(t)
	sameTokens(t, golden.Texts, golden.Cased, tokenize(t, onlyVocabulary(t, `{"do_lower_case": false}`), golden.Texts, 0))
}

// The digest is that of testdata/mosi_digest.py.
func TestEveryTranscriptOfMOSI(t *testing.T) {
	encoder := minilm(t)
	file, err := os.Open(shared(t, "data/mosi/mosi_2199.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	column, digest, texts := slices.Index(rows[0], "text"), sha256.New(), []string{}
	for _, row := range rows[1:] {
		texts = append(texts, row[column])
	}
	require.Len(t, texts, 2199)
	for _, ids := range tokenize(t, encoder, texts, 50) {
		writeLine(digest, ids)
	}
	require.Equal(t, "3e8b975f9a5bfeb2c8c79104af5c69b48966a9946d50f2791971d65b7739d927", hex.EncodeToString(digest.Sum(nil)))
}

func TestLengthsThatTheModelCannotTakeAreRefused(t *testing.T) {
	for _, most := range []int{-1, 1, 65} {
		_, err := tiny(t).Tokenize([]string{"a"}, most)
		require.ErrorContains(t, err, "the model takes 2 to 64")
	}
}

func TestTextThatIsNotUTF8IsRead(t *testing.T) {
	ids := tokenize(t, tiny(t), []string{"the\xff film", "the film"}, 0)
	require.Equal(t, ids[1], ids[0])
}
