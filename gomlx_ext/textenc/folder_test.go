package textenc_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

func TestExportedModelHasTheSameWeights(t *testing.T) {
	store, dir := loaded(t), filepath.Join(t.TempDir(), "exported")
	require.NoError(t, tiny(t).Export(store.Scope("/bert"), dir))
	want, err := safetensors.ReadFile("testdata/tiny/model.safetensors")
	require.NoError(t, err)
	got, err := safetensors.ReadFile(filepath.Join(dir, "model.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, want.Tensors, got.Tensors)
	assert.Equal(t, "pt", got.Metadata["format"])
}

func TestExportedModelOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "exported")
	require.NoError(t, tiny(t).Export(loaded(t).Scope("/bert"), dir))
	encoder, err := textenc.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, tiny(t).Config(), encoder.Config())
	assert.Equal(t, tokenize(t, tiny(t), readTokens(t).Texts, 0), tokenize(t, encoder, readTokens(t).Texts, 0))
}

func TestExportLeavesWhatIsThereAlone(t *testing.T) {
	dir := copyTiny(t)
	require.ErrorContains(t, tiny(t).Export(loaded(t).Scope("/bert"), dir), "is there already")
}

func TestFailedExportLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	require.ErrorContains(t, tiny(t).Export(model.NewStore().RootScope(), filepath.Join(parent, "exported")), "load or train the encoder")
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestExportAsksForFloat32(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, "config.json", `"float32"`, `"float16"`)
	encoder, err := textenc.Open(dir)
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "exported")
	require.NoError(t, encoder.Export(loaded(t).Scope("/bert"), out))
	content, err := os.ReadFile(filepath.Join(out, "config.json"))
	require.NoError(t, err)
	assert.Contains(t, string(content), `"dtype": "float32"`)
}

func TestHashIsThatOfTheContent(t *testing.T) {
	hash := func(dir string) string {
		encoder, err := textenc.Open(dir)
		require.NoError(t, err)
		sum, err := encoder.Hash()
		require.NoError(t, err)
		return sum
	}
	dir := copyTiny(t)
	first := hash("testdata/tiny")
	assert.Equal(t, first, hash(dir))
	edit(t, dir, "config.json", `"gelu"`, `"relu"`)
	assert.NotEqual(t, first, hash(dir))
}

const someWeight = "/bert/encoder/layer/1/output/dense/weight"

func TestLoadingAgainReturnsToTheCheckpoint(t *testing.T) {
	store := loaded(t)
	v := store.GetVariable(someWeight)
	before := flat(v.MustValue())
	require.NoError(t, v.SetValue(tensors.FromFlatDataAndDimensions(make([]float32, 32*16), 32, 16)))
	require.NoError(t, tiny(t).Load(store.Scope("/bert")))
	assert.Equal(t, before, flat(v.MustValue()))
}

func TestDrawingAgainLeavesLoadedWeightsAlone(t *testing.T) {
	store := loaded(t)
	require.NoError(t, textenc.InitRandom(store.Scope("/bert"), tiny(t).Config()))
	before := flat(store.GetVariable(someWeight).MustValue())
	store.RootScope().SetParam(hostinit.ParamSeed, int64(5))
	require.NoError(t, hostinit.Redraw(store))
	assert.Equal(t, before, flat(store.GetVariable(someWeight).MustValue()))
}

// renamed is tiny with other names for its tensors.
func renamed(t *testing.T, rename func(string) string) string {
	dir := copyTiny(t)
	changeWeights(t, dir, func(file *safetensors.File) {
		tensors := map[string]safetensors.Tensor{}
		for name, tensor := range file.Tensors {
			tensors[rename(name)] = tensor
		}
		file.Tensors = tensors
	})
	return dir
}

func changeWeights(t *testing.T, dir string, change func(file *safetensors.File)) {
	path := filepath.Join(dir, "model.safetensors")
	file, err := safetensors.ReadFile(path)
	require.NoError(t, err)
	change(file)
	out, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, safetensors.Write(out, file))
	require.NoError(t, out.Close())
}

func TestNamesOfTaskModelsAndOfTensorFlowAreKnown(t *testing.T) {
	gamma := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta")
	for _, rename := range []func(string) string{
		func(name string) string { return "bert." + name },
		func(name string) string { return "bert." + gamma.Replace(name) },
	} {
		encoder, err := textenc.Open(renamed(t, rename))
		require.NoError(t, err)
		store := model.NewStore()
		require.NoError(t, encoder.Load(store.Scope("/bert")))
		assert.Equal(t, flat(loaded(t).GetVariable(someWeight).MustValue()), flat(store.GetVariable(someWeight).MustValue()))
	}
}

func edit(t *testing.T, dir, name, from, to string) {
	content, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.Contains(t, string(content), from)
	write(t, dir, name, strings.Replace(string(content), from, to, 1))
}

func TestBadFoldersAreExplained(t *testing.T) {
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) }
	}
	replace := func(name, from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, dir, name, from, to) }
	}
	content := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, dir, name, content) }
	}
	header := func(header string, size int) func(*testing.T, string) {
		prefix := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return content("model.safetensors", string(prefix)+header+strings.Repeat("\x00", size))
	}
	for name, c := range map[string]struct {
		spoil   func(*testing.T, string)
		message string
	}{
		"no configuration":    {remove("config.json"), "a model's folder holds config.json"},
		"no tokenizer":        {remove("tokenizer.json"), "tokenizer.json or vocab.txt"},
		"no weights":          {remove("model.safetensors"), "save the model with transformers' save_pretrained"},
		"other architecture":  {replace("config.json", `"bert"`, `"roberta"`), `model_type is "roberta"`},
		"relative positions":  {replace("config.json", `"is_decoder"`, `"position_embedding_type": "relative_key", "is_decoder"`), "relative_key"},
		"decoder":             {replace("config.json", `"is_decoder": false`, `"is_decoder": true`), "use an encoder"},
		"unknown activation":  {replace("config.json", `"gelu"`, `"swish"`), `hidden_act is "swish"`},
		"heads":               {replace("config.json", `"num_attention_heads": 4`, `"num_attention_heads": 3`), "does not divide hidden_size 16"},
		"huge layer":          {replace("config.json", `"hidden_size": 16`, `"hidden_size": 1000000000000`), "hidden_size is 1000000000000"},
		"negative":            {replace("config.json", `"num_hidden_layers": 2`, `"num_hidden_layers": -2`), "num_hidden_layers is -2"},
		"dropout":             {replace("config.json", `"hidden_dropout_prob": 0.1`, `"hidden_dropout_prob": 1.5`), "hidden_dropout_prob 1.5"},
		"not JSON":            {content("config.json", "{"), "not the configuration of a model"},
		"array":               {content("config.json", "[]"), "not the configuration of a model"},
		"large configuration": {content("config.json", strings.Repeat(" ", 1<<20+1)), "at most 1048576 bytes"},
		"more layers":         {replace("config.json", `"num_hidden_layers": 2`, `"num_hidden_layers": 3`), `lacks the tensor "encoder.layer.2.`},
		"wider":               {replace("config.json", `"intermediate_size": 32`, `"intermediate_size": 48`), "but config.json asks for [48 16]"},
		"small vocabulary":    {replace("config.json", `"vocab_size": 163`, `"vocab_size": 100`), "the tokenizer has ids up to 162, but vocab_size"},
		"large vocabulary":    {replace("config.json", `"vocab_size": 163`, `"vocab_size": 1000`), "is [163 16], but config.json asks for [1000 16]"},
		"other tokenizer":     {replace("tokenizer.json", "\"WordPiece\",\n    \"unk_token\"", "\"BPE\", \"unk_token\""), `the model is "BPE"; a BERT's is WordPiece`},
		"other normalizer":    {replace("tokenizer.json", `"BertNormalizer"`, `"NFC"`), `the normalizer is "NFC"`},
		"negative id":         {replace("tokenizer.json", `"[PAD]": 0`, `"[PAD]": -1`), `"[PAD]" has the id -1`},
		"endless words":       {replace("tokenizer.json", `"max_input_chars_per_word": 100`, `"max_input_chars_per_word": 1000000`), "max_input_chars_per_word is 1000000"},
		"tokenizer cut off":   {content("tokenizer.json", `{"model": {"vocab"`), "not the description of a tokenizer"},
		"weights cut off":     {truncated("model.safetensors", 20000), "the file is cut off"},
		"empty weights":       {content("model.safetensors", ""), "too few for the length of a header"},
		"huge header":         {content("model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}"), "exceeds the format's"},
		"overlapping offsets": {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "overlap or hole"},
		"overflowing offsets": {header(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}`, 4), "overflows"},
		"offsets beyond":      {header(`{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}`, 4), "the file is cut off"},
		"integers as weights": {func(t *testing.T, dir string) { changeWeights(t, dir, asIntegers) }, "is of type I32"},
		"a folder as weights": {func(t *testing.T, dir string) {
			remove("model.safetensors")(t, dir)
			require.NoError(t, os.Mkdir(filepath.Join(dir, "model.safetensors"), 0o755))
		}, "not a regular file"},
		"a folder as tokenizer": {func(t *testing.T, dir string) {
			remove("tokenizer.json")(t, dir)
			require.NoError(t, os.Mkdir(filepath.Join(dir, "tokenizer.json"), 0o755))
		}, "is not a file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTiny(t)
			c.spoil(t, dir)
			_, err := textenc.Open(dir)
			require.ErrorContains(t, err, c.message)
			require.ErrorContains(t, err, dir)
		})
	}
}

func truncated(name string, size int64) func(*testing.T, string) {
	return func(t *testing.T, dir string) { require.NoError(t, os.Truncate(filepath.Join(dir, name), size)) }
}

func asIntegers(file *safetensors.File) {
	bias := file.Tensors["pooler.dense.bias"]
	bias.DType = "I32"
	file.Tensors["pooler.dense.bias"] = bias
}

func TestVocabularyWithoutSpecialTokensIsRefused(t *testing.T) {
	dir := copyTiny(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "tokenizer.json")))
	write(t, dir, "vocab.txt", "a\nb\n")
	_, err := textenc.Open(dir)
	require.ErrorContains(t, err, `the vocabulary lacks "[UNK]"`)
}

func TestFolderIsItsOwnResolution(t *testing.T) {
	dir, err := textenc.Resolve(context.Background(), "testdata/tiny", "")
	require.NoError(t, err)
	assert.Equal(t, "testdata/tiny", dir)
}

func TestWhatIsNeitherFolderNorModelIsRefused(t *testing.T) {
	for name, message := range map[string]string{
		"./no/such/folder":           "is neither a folder nor the name of a model",
		"testdata/tiny/config.json":  "is a file",
		"some-owner/no-such-model-x": "cannot be had from the hub",
	} {
		t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
		_, err := textenc.Resolve(context.Background(), name, t.TempDir())
		require.ErrorContains(t, err, message)
	}
}
