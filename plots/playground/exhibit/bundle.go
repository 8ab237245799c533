// Package exhibit is a trained MMILN that can be taken apart by hand: it predicts one utterance while its gates are moved,
// modalities are withheld and labels are read otherwise. The same code runs in the program and, compiled to WebAssembly, in a
// page. It knows of no files.
package exhibit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/ulgmfile"
)

// Bundle is what a page carries: the model, the state of its label generator and a batch of examples.
type Bundle struct {
	Header
	Sequences [3]data.Sequences             // of Infos, normalised, padded to what the page can take
	Weights   map[string]safetensors.Tensor // by path
	ULGM      *mmiln.ULGM
}

// Header is the part of a bundle that is text.
type Header struct {
	Run        string           `json:"run"`
	Epoch      int              `json:"epoch"` // whose weights these are
	Model      mmiln.Config     `json:"model"`
	ULGM       mmiln.ULGMConfig `json:"ulgm"`
	Data       planted.Config   `json:"data"`
	Normaliser *data.Normaliser `json:"normaliser"` // nil: features are taken as they are
	Infos      []data.Info      `json:"examples"`   // those to choose from, then those that stand beside them
	Shown      int              `json:"shown"`      // the first of Infos, to choose from
	Templates  [3][3]int        `json:"templates"`  // by modality: an example that is negative, neutral and positive in it
}

const (
	header   = "exhibit"
	examples = "examples/"
	labeller = "ulgm/"
)

// Encode writes the bundle as one safetensors file.
func (b *Bundle) Encode() ([]byte, error) {
	text, err := json.Marshal(b.Header)
	if err != nil {
		return nil, fmt.Errorf("exhibit: %w", err)
	}
	file := &safetensors.File{Tensors: maps.Clone(b.Weights), Metadata: map[string]string{header: string(text)}}
	for _, m := range data.Modalities {
		s := b.Sequences[m]
		file.Tensors[examples+m.String()] = safetensors.FromFloat32(s.Values, len(s.Lengths), s.Steps, s.Width)
	}
	ulgmfile.Put(file.Tensors, labeller, b.ULGM)
	var out bytes.Buffer
	err = safetensors.Write(&out, file)
	return out.Bytes(), err
}

// Decode is the inverse of [Bundle.Encode].
func Decode(content []byte) (*Bundle, error) {
	file, err := safetensors.Parse(content)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Weights: map[string]safetensors.Tensor{}}
	if err := json.Unmarshal([]byte(file.Metadata[header]), &b.Header); err != nil {
		return nil, fmt.Errorf("exhibit: header: %w", err)
	}
	for name, tensor := range file.Tensors {
		if name[0] == '/' {
			b.Weights[name] = tensor
		}
	}
	if err := b.decodeExamples(file); err != nil {
		return nil, fmt.Errorf("exhibit: %w", err)
	}
	if err := b.decodeULGM(file); err != nil {
		return nil, fmt.Errorf("exhibit: %w", err)
	}
	return b, b.check()
}

func (b *Bundle) decodeExamples(file *safetensors.File) error {
	for _, m := range data.Modalities {
		values, shape, err := file.Float32(examples + m.String())
		if err != nil {
			return err
		}
		if len(shape) != 3 || shape[0] != len(b.Infos) {
			return fmt.Errorf("%s has shape %v and there are %d examples", m, shape, len(b.Infos))
		}
		s := data.Sequences{Values: values, Steps: shape[1], Width: shape[2]}
		for _, info := range b.Infos {
			s.Lengths = append(s.Lengths, int32(info.Lengths[m]))
		}
		b.Sequences[m] = s
	}
	return nil
}

func (b *Bundle) decodeULGM(file *safetensors.File) error {
	m, err := mmiln.New(b.Model)
	if err != nil {
		return err
	}
	truth, _, err := file.Float32(labeller + string(mmiln.Multimodal) + "/labels")
	if err != nil {
		return err
	}
	b.ULGM = mmiln.NewULGM(b.Header.ULGM, truth, m.Tasks(), b.Model.Head.Widths(m.Tasks()))
	for i := range b.ULGM.Seen {
		b.ULGM.Seen[i] = true
	}
	return ulgmfile.Take(file, labeller, b.ULGM)
}

// check finds indices that point at nothing.
func (b *Bundle) check() error {
	if b.Shown < 1 || b.Shown >= len(b.Infos) {
		return fmt.Errorf("exhibit: %d of %d examples are shown; leave at least one to compare with", b.Shown, len(b.Infos))
	}
	for _, m := range data.Modalities {
		for _, i := range b.Templates[m] {
			if i < 0 || i >= len(b.Infos) {
				return fmt.Errorf("exhibit: there is no example %d to take %s from", i, m)
			}
		}
		for i, info := range b.Infos {
			if n := info.Lengths[m]; n < 1 || n > b.Sequences[m].Steps {
				return fmt.Errorf("exhibit: example %d has %d steps of %s; the page takes 1 to %d", i, n, m, b.Sequences[m].Steps)
			}
		}
		if b.Sequences[m].Width != b.Data.Width[m] {
			return fmt.Errorf("exhibit: %s has %d features, and its configuration says %d", m, b.Sequences[m].Width, b.Data.Width[m])
		}
	}
	if b.Data.Validate() != nil {
		return errors.New("exhibit: the data set's configuration is not one that can be generated")
	}
	return nil
}
