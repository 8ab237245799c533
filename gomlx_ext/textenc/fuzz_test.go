package textenc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// FuzzOpen gives a folder another configuration and another tokenizer.
func FuzzOpen(f *testing.F) {
	config, err := os.ReadFile("testdata/tiny/config.json")
	require.NoError(f, err)
	tokenizer, err := os.ReadFile("testdata/tiny/tokenizer.json")
	require.NoError(f, err)
	f.Add(config, tokenizer, "the film [SEP] was caf\u00e9")
	f.Add([]byte(`{"model_type":"bert"}`), []byte(`{"model":{"type":"WordPiece"}}`), "")
	dir := copyTiny(f)
	f.Fuzz(func(t *testing.T, config, tokenizer []byte, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "tokenizer.json"), tokenizer, 0o644))
		encoder, err := textenc.Open(dir)
		if err != nil {
			return
		}
		tokens, err := encoder.Tokenize([]string{text}, 0)
		require.NoError(t, err)
		require.NoError(t, encoder.Config().Check(tokens.IDs))
	})
}

// FuzzVocabulary gives a folder a vocab.txt and its settings.
func FuzzVocabulary(f *testing.F) {
	f.Add([]byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n"), []byte(`{"do_lower_case": true}`), "ab A [SEP]")
	f.Add([]byte("\n"), []byte(`{}`), "")
	dir := copyTiny(f)
	require.NoError(f, os.Remove(filepath.Join(dir, "tokenizer.json")))
	f.Fuzz(func(t *testing.T, vocabulary, settings []byte, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "vocab.txt"), vocabulary, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), settings, 0o644))
		encoder, err := textenc.Open(dir)
		if err != nil {
			return
		}
		tokens, err := encoder.Tokenize([]string{text}, 0)
		require.NoError(t, err)
		require.NoError(t, encoder.Config().Check(tokens.IDs))
	})
}
