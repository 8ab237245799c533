package experiment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// TextConfig says what the model reads as text: the data set's features, or the states of a BERT over the transcripts.
type TextConfig struct {
	Mode      string `toml:"mode" json:"mode"`             // one of TextModes
	Encoder   string `toml:"encoder" json:"encoder"`       // of a BERT: a folder as on Hugging Face, or its name there
	MaxLength int    `toml:"max_length" json:"max_length"` // word pieces of a text, with [CLS] and [SEP]; what is beyond is left out
	Precision string `toml:"precision" json:"precision"`   // of the encoder's products: float32, or bfloat16 for accelerators
	Recompute bool   `toml:"recompute" json:"recompute"`   // the encoder's layers again for their gradients, which saves memory
}

// TextModes are where text comes from: features are the data set's; frozen are an encoder's, computed once and kept on disk;
// finetune trains the encoder with the model.
var TextModes = []string{"features", "frozen", "finetune"}

func (c TextConfig) validate() error {
	switch c.Mode {
	case "features":
		return nil
	case "frozen", "finetune":
		if c.Encoder == "" {
			return fmt.Errorf("encoder is empty; name the folder of a BERT, which mode %s needs", c.Mode)
		}
		if c.MaxLength < 3 || c.MaxLength > 1<<16 {
			return fmt.Errorf("max_length is %d; use 3 to %d", c.MaxLength, 1<<16)
		}
		if c.Precision != "float32" && c.Precision != "bfloat16" {
			return fmt.Errorf("precision is %q; use float32 or bfloat16", c.Precision)
		}
		return nil
	}
	return fmt.Errorf("mode is %q; use features, frozen or finetune", c.Mode)
}

// own says whether the model's text is not the data set's.
func (c TextConfig) own() bool { return c.Mode != "features" }

// textReader turns transcripts into what the model reads. Nil leaves the data set's features as they are.
type textReader struct {
	config  TextConfig
	encoder *textenc.Encoder
	backend compute.Backend
}

func openText(c TextConfig, backend compute.Backend) (*textReader, error) {
	if !c.own() {
		return nil, nil
	}
	encoder, err := openEncoder(c)
	if err != nil {
		return nil, err
	}
	return &textReader{config: c, encoder: encoder, backend: backend}, nil
}

func openEncoder(c TextConfig) (*textenc.Encoder, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	dir, err := textenc.Resolve(context.Background(), c.Encoder, filepath.Join(cache, "hub"))
	if err != nil {
		return nil, fmt.Errorf("[text] encoder: %w", err)
	}
	encoder, err := textenc.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("[text] encoder: %w", err)
	}
	if most := encoder.Config().Positions; c.MaxLength > most {
		return nil, fmt.Errorf("[text] max_length is %d and %s takes at most %d word pieces", c.MaxLength, c.Encoder, most)
	}
	return encoder, nil
}

// schema is that of the model's input.
func (r *textReader) schema(s data.Schema) data.Schema {
	if r == nil {
		return s
	}
	s.Width[data.Text], s.Length[data.Text], s.Tokens = r.encoder.Config().Width, r.config.MaxLength, 0
	return s
}

// hash is that of the encoder; empty where there is none.
func (r *textReader) hash() (string, error) {
	if r == nil {
		return "", nil
	}
	return r.encoder.Hash()
}

// reader is how a model reads examples.
type reader struct {
	normalise  bool
	normaliser data.Normaliser
	text       *textReader
}

// view is examples normalised and with the text that the model reads.
func (r reader) view(examples data.Examples) (data.Examples, error) {
	if r.normalise {
		examples = data.WithNormaliser(r.normaliser, examples)
	}
	return r.text.view(examples)
}

// view is examples with the text that the model reads.
func (r *textReader) view(examples data.Examples) (data.Examples, error) {
	if r == nil {
		return examples, nil
	}
	texts := make([]string, examples.Len())
	for i := range texts {
		texts[i] = examples.Info(i).Words
		if texts[i] == "" {
			return nil, fmt.Errorf("example %q has no transcript, which [text] mode %s reads; import the data with its text, or use mode features",
				examples.Info(i).ID, r.config.Mode)
		}
	}
	tokens, err := r.encoder.Tokenize(texts, r.config.MaxLength)
	if err != nil {
		return nil, err
	}
	if r.config.Mode == "frozen" {
		states, err := r.states(tokens)
		return transcribed{examples, r.encoder.Config().Width, states}, err
	}
	return transcribed{examples, 1, pieces(tokens)}, nil
}

// pieces are word pieces as features of width 1: float32 holds every id exactly, up to 2²⁴.
func pieces(tokens textenc.Tokens) [][]float32 {
	out := make([][]float32, len(tokens.IDs))
	for i, ids := range tokens.IDs {
		for _, id := range ids {
			out[i] = append(out[i], float32(id))
		}
	}
	return out
}

// transcribed is a view of examples with other text: sequences [length, width] of each.
type transcribed struct {
	data.Examples
	width     int
	sequences [][]float32
}

// Info is the index' entry with the length of this text.
func (v transcribed) Info(i int) data.Info {
	info := v.Examples.Info(i)
	info.Lengths[data.Text], info.Tokens = len(v.sequences[i])/v.width, 0
	return info
}

// Batch implements [data.Examples].
func (v transcribed) Batch(rows []int, steps [3]int) (*data.Batch, error) {
	b, err := v.Examples.Batch(rows, [3]int{data.Audio: steps[data.Audio], data.Vision: steps[data.Vision]})
	if err != nil {
		return nil, err
	}
	sequences := make([][]float32, len(rows))
	for i, row := range rows {
		sequences[i] = v.sequences[row]
	}
	q := padded(sequences, v.width, steps[data.Text])
	if asked := steps[data.Text]; asked != 0 && q.Steps > asked {
		return nil, fmt.Errorf("data: a text of %d steps does not fit in %d; ask for more, or 0", q.Steps, asked)
	}
	b.Sequences[data.Text], b.Tokens, b.TokenLengths = q, nil, nil
	return b, nil
}

// padded puts sequences [length, width] side by side, padded to steps or, where that is more, to the longest.
func padded(sequences [][]float32, width, steps int) data.Sequences {
	q := data.Sequences{Steps: max(steps, 1), Width: width, Lengths: make([]int32, len(sequences))}
	for i, s := range sequences {
		if len(s) > 0 {
			q.Lengths[i] = int32(len(s) / width)
		}
		q.Steps = max(q.Steps, int(q.Lengths[i]))
	}
	q.Values = make([]float32, len(sequences)*q.Steps*width)
	for i, s := range sequences {
		copy(q.Values[i*q.Steps*width:], s)
	}
	return q
}

// textScope is where a fine-tuned encoder's variables are.
const textScope = "/encoder/text"

// encode replaces word pieces [B, T, 1] by the encoder's states [B, T, d], zero at padded steps. Eq. (3): M_t = BERT(X_t; θ_t)
func (c TextConfig) encode(encoder *textenc.Encoder, scope *model.Scope, x masked.Sequence) masked.Sequence {
	ids := ConvertDType(Squeeze(x.X, -1), dtypes.Int32)
	states, _ := encoder.Config().Graph(scope.Store().Scope(textScope), ids, x.Lengths, c.options()...)
	return x.Over(states)
}

func (c TextConfig) options() (options []textenc.Option) {
	if c.Precision == "bfloat16" {
		options = append(options, textenc.Half())
	}
	if c.Recompute {
		options = append(options, textenc.Recompute())
	}
	return options
}

// errNoText explains why a run cannot read sentences.
var errNoText = errors.New("this run reads the data set's text features and has no encoder for sentences; train with [text] mode frozen or finetune")
