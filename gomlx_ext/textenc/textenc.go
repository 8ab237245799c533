// Package textenc is BERT (Devlin et al., 2019): its word pieces, its encoder and its weights, read from a folder as Hugging Face
// keeps them and written back so that transformers loads them.
//
//	encoder, err := textenc.Open("minilm")             // checks everything, reads no weights yet
//	tokens, err := encoder.Tokenize(texts, 50)         // as transformers does
//	err = encoder.Load(store.Scope("/bert"))           // variables with the checkpoint's values
//	hidden, pooled := encoder.Config().Graph(scope.In("bert"), ids, lengths)
//
// The names of the variables are the checkpoint's, with slashes for dots: encoder/layer/0/attention/self/query/weight. The
// weights of dense layers are transposed, [in, out].
package textenc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
	maxConfig   = 1 << 20 // bytes
)

// Encoder is a BERT read from a folder: configuration, tokenizer, and where its weights lie.
type Encoder struct {
	dir       string
	config    Config
	tokenizer *tokenizer
	names     map[string]string // a weight's name in the file, by its name here
}

// Open reads config.json and tokenizer.json (or vocab.txt) of a folder and the header of its model.safetensors, and checks that
// they belong together. Errors name the file and the remedy.
func Open(dir string) (*Encoder, error) {
	content, err := readBounded(filepath.Join(dir, configFile), maxConfig)
	if err != nil {
		return nil, inFolder(dir, err)
	}
	e := &Encoder{dir: dir}
	if e.config, err = ParseConfig(content); err != nil {
		return nil, fmt.Errorf("textenc: %s: %w", filepath.Join(dir, configFile), err)
	}
	if e.tokenizer, err = openTokenizer(dir); err != nil {
		return nil, inFolder(dir, err)
	}
	if top := e.tokenizer.largest(); top >= e.config.Vocabulary {
		return nil, fmt.Errorf("textenc: %s: the tokenizer has ids up to %d, but vocab_size in %s is %d: they are of different models",
			dir, top, configFile, e.config.Vocabulary)
	}
	return e, e.checkWeights()
}

// inFolder explains a file that is not there.
func inFolder(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("textenc: %w: a model's folder holds %s, %s or %s, and %s, as on Hugging Face", err, configFile, tokenizerFile, vocabularyFile, weightsFile)
	}
	return fmt.Errorf("textenc: %s: %w", dir, err)
}

// checkWeights finds every weight in the checkpoint's header, and compares its shape.
func (e *Encoder) checkWeights() error {
	path := filepath.Join(e.dir, weightsFile)
	file, err := safetensors.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("textenc: %s has no %s: save the model with transformers' save_pretrained, which writes one", e.dir, weightsFile)
	}
	if err != nil {
		return fmt.Errorf("textenc: %w", err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	e.names = map[string]string{}
	for _, w := range e.config.weights() {
		name, found := locate(file, w.name)
		if !found {
			return fmt.Errorf("textenc: %s lacks the tensor %q: it is not a BERT of %d layers with a pooler", path, w.name, e.config.Layers)
		}
		dtype, shape, _ := file.Shape(name)
		if !slices.Equal(shape, w.shape) {
			return fmt.Errorf("textenc: %s: tensor %q is %v, but %s asks for %v", path, name, shape, configFile, w.shape)
		}
		if !slices.Contains([]string{"F32", "F16", "BF16", "F64"}, dtype) {
			return fmt.Errorf("textenc: %s: tensor %q is of type %s; weights must be F16, BF16, F32 or F64", path, name, dtype)
		}
		e.names[w.name] = name
	}
	return nil
}

// locate finds a weight, also under the prefix that task models give the encoder, and under the names that norms had in
// TensorFlow's checkpoints.
func locate(file *safetensors.Reader, name string) (string, bool) {
	old := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name)
	for _, candidate := range []string{name, "bert." + name, old, "bert." + old} {
		if _, _, found := file.Shape(candidate); found {
			return candidate, true
		}
	}
	return "", false
}

// Config is the model's configuration.
func (e *Encoder) Config() Config { return e.config }

// Dir is the folder that the model was read from.
func (e *Encoder) Dir() string { return e.dir }

// Load gives the encoder's variables in scope the checkpoint's values, and creates those that are not there. Calling it again
// returns them to these values.
func (e *Encoder) Load(scope *model.Scope) error {
	file, err := safetensors.Open(filepath.Join(e.dir, weightsFile))
	if err != nil {
		return fmt.Errorf("textenc: %w", err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	for _, w := range e.config.weights() {
		values, shape, err := file.Float32(e.names[w.name])
		if err != nil {
			return fmt.Errorf("textenc: %w", err)
		}
		if !slices.Equal(shape, w.shape) {
			return fmt.Errorf("textenc: %s changed since it was opened", filepath.Join(e.dir, weightsFile))
		}
		if err := w.set(scope, values); err != nil {
			return err
		}
	}
	return nil
}

// Hash is the SHA-256 of configuration, tokenizer and weights, in hexadecimal: the same for the same content, wherever it lies.
func (e *Encoder) Hash() (string, error) {
	total := sha256.New()
	for _, name := range append([]string{configFile, weightsFile}, e.tokenizer.files...) {
		file, err := os.Open(filepath.Join(e.dir, name))
		if err != nil {
			return "", fmt.Errorf("textenc: %w", err)
		}
		one := sha256.New()
		_, err = io.Copy(one, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return "", fmt.Errorf("textenc: %w", err)
		}
		fmt.Fprintf(total, "%s %x\n", name, one.Sum(nil))
	}
	return hex.EncodeToString(total.Sum(nil)), nil
}

// readBounded reads a file of at most so many bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", path, limit)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	return io.ReadAll(io.LimitReader(file, limit))
}
