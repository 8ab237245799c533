package textenc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// tokenizerFiles are what a folder may hold of its tokenizer; transformers reads them all.
var tokenizerFiles = []string{tokenizerFile, settingsFile, vocabularyFile, "special_tokens_map.json", "added_tokens.json"}

// Export writes the encoder with the weights of its variables in scope to a new folder, which [Open] and transformers read:
// config.json, the tokenizer's files and model.safetensors, in float32. The folder is there complete or not at all.
func (e *Encoder) Export(scope *model.Scope, dir string) error {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("textenc: %s is there already: export to a new folder", dir)
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".partial-")
	if err != nil {
		return fmt.Errorf("textenc: %w", err)
	}
	defer os.RemoveAll(partial) // it is not there once it has its name
	if err := e.exportTo(scope, partial); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(partial, 0o755), os.Rename(partial, dir), atomicfile.SyncDir(filepath.Dir(dir))); err != nil {
		return fmt.Errorf("textenc: %w", err)
	}
	return nil
}

func (e *Encoder) exportTo(scope *model.Scope, dir string) error {
	config, err := readBounded(filepath.Join(e.dir, configFile), maxConfig)
	if err == nil {
		config, err = inFloat32(config)
	}
	if err == nil {
		err = write(filepath.Join(dir, configFile), config)
	}
	for _, name := range tokenizerFiles {
		content, missing := readBounded(filepath.Join(e.dir, name), maxTokenizer)
		if errors.Is(missing, fs.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, missing); err == nil {
			err = write(filepath.Join(dir, name), content)
		}
	}
	if err == nil {
		err = e.config.exportWeights(scope, filepath.Join(dir, weightsFile))
	}
	if err = errors.Join(err, atomicfile.SyncDir(dir)); err != nil {
		return fmt.Errorf("textenc: exporting: %w", err)
	}
	return nil
}

// inFloat32 is a config.json that does not ask for another type of the weights.
func inFloat32(content []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, err
	}
	changed := false
	for _, name := range []string{"torch_dtype", "dtype"} {
		if value, found := fields[name]; found && string(value) != `"float32"` {
			fields[name], changed = json.RawMessage(`"float32"`), true
		}
	}
	if !changed {
		return content, nil
	}
	return json.MarshalIndent(fields, "", "  ")
}

// exportWeights writes the variables under the checkpoint's names.
func (c Config) exportWeights(scope *model.Scope, path string) error {
	file := &safetensors.File{Tensors: map[string]safetensors.Tensor{}, Metadata: map[string]string{"format": "pt"}} // which transformers wants
	for _, w := range c.weights() {
		values, err := w.get(scope)
		if err != nil {
			return err
		}
		file.Tensors[w.name] = safetensors.FromFloat32(values, slices.Clone(w.shape)...)
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(safetensors.Write(out, file), out.Sync(), out.Close())
}

func write(path string, content []byte) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return errors.Join(err, out.Sync(), out.Close())
}
