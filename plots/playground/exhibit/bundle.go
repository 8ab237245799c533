// Package exhibit is a trained MMILN that can be taken apart by hand: it predicts one utterance while its gates are moved,
// modalities are withheld and labels are read otherwise. The same code runs in the program and, compiled to WebAssembly, in a
// page. It knows of no files.
package exhibit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
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
	for _, task := range b.ULGM.Tasks {
		name, n := labeller+string(task), len(b.ULGM.Seen)
		file.Tensors[name+"/features"] = safetensors.FromFloat32(b.ULGM.Features[task], n, b.ULGM.Width[task])
		file.Tensors[name+"/labels"] = float64s(b.ULGM.Labels[task])
		file.Tensors[name+"/positive"] = float64s(b.ULGM.Centres[task][0])
		file.Tensors[name+"/negative"] = float64s(b.ULGM.Centres[task][1])
	}
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
	width := map[mmiln.Task]int{}
	for _, task := range m.Tasks() {
		width[task] = b.Model.Head.Of(task).Width
	}
	b.ULGM = mmiln.NewULGM(b.Header.ULGM, truth, m.Tasks(), width)
	for i := range b.ULGM.Seen {
		b.ULGM.Seen[i] = true
	}
	for _, task := range m.Tasks() {
		if err := b.decodeTask(file, task); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) decodeTask(file *safetensors.File, task mmiln.Task) (err error) {
	name, u := labeller+string(task), b.ULGM
	if u.Features[task], _, err = file.Float32(name + "/features"); err != nil {
		return err
	}
	if u.Labels[task], _, err = file.Float64(name + "/labels"); err != nil {
		return err
	}
	var centres [2][]float64
	for class, side := range []string{"/positive", "/negative"} {
		if centres[class], _, err = file.Float64(name + side); err != nil {
			return err
		}
		if len(centres[class]) != u.Width[task] {
			return fmt.Errorf("%s%s has %d values, and F* of that task %d", name, side, len(centres[class]), u.Width[task])
		}
	}
	u.Centres[task] = centres
	if n := len(u.Seen); len(u.Labels[task]) != n || len(u.Features[task]) != n*u.Width[task] {
		return fmt.Errorf("%s: features and labels are not those of %d training examples", name, n)
	}
	return nil
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

func float64s(values []float64) safetensors.Tensor {
	var content []byte
	for _, v := range values {
		content = binary.LittleEndian.AppendUint64(content, math.Float64bits(v))
	}
	return safetensors.Tensor{DType: "F64", Shape: []int{len(values)}, Data: content}
}
