package textenc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Config is what config.json says of a BERT, under the names of Devlin et al. (2019).
type Config struct {
	Layers     int `json:"num_hidden_layers"`
	Width      int `json:"hidden_size"`         // of a token's vector
	Heads      int `json:"num_attention_heads"` // a divisor of Width
	Hidden     int `json:"intermediate_size"`   // of the feed-forward layers
	Vocabulary int `json:"vocab_size"`
	Positions  int `json:"max_position_embeddings"` // the longest text, in word pieces
	Types      int `json:"type_vocab_size"`
	Pad        int `json:"pad_token_id"` // its embedding gets no gradient

	Activation       string  `json:"hidden_act"`          // gelu, gelu_new, gelu_pytorch_tanh or relu
	Dropout          float64 `json:"hidden_dropout_prob"` // of embeddings and of each block's output
	AttentionDropout float64 `json:"attention_probs_dropout_prob"`
	Epsilon          float64 `json:"layer_norm_eps"`
	Deviation        float64 `json:"initializer_range"` // of random weights
}

// Base is BERT-base, uncased: 12 layers of width 768. These are also transformers' values for what a config.json leaves out.
func Base() Config {
	return Config{Layers: 12, Width: 768, Heads: 12, Hidden: 3072, Vocabulary: 30522, Positions: 512, Types: 2, Activation: "gelu",
		Dropout: 0.1, AttentionDropout: 0.1, Epsilon: 1e-12, Deviation: 0.02}
}

// ParseConfig reads the content of a config.json. It refuses other architectures than BERT's encoder, and sizes that no BERT has.
func ParseConfig(content []byte) (Config, error) {
	kind := struct {
		Type      string `json:"model_type"`
		Positions string `json:"position_embedding_type"`
		Decoder   bool   `json:"is_decoder"`
		Cross     bool   `json:"add_cross_attention"`
	}{}
	c := Base()
	if err := errors.Join(json.Unmarshal(content, &kind), json.Unmarshal(content, &c)); err != nil {
		return Config{}, fmt.Errorf("not the configuration of a model: %w", err)
	}
	switch {
	case kind.Type != "bert":
		return Config{}, fmt.Errorf("model_type is %q; only \"bert\" is supported", kind.Type)
	case kind.Positions != "" && kind.Positions != "absolute":
		return Config{}, fmt.Errorf("position_embedding_type is %q; only \"absolute\" is supported", kind.Positions)
	case kind.Decoder || kind.Cross:
		return Config{}, errors.New("is_decoder and add_cross_attention are not supported: use an encoder")
	}
	return c, c.Validate()
}

// Validate tells what does not hold together in c, by the names of config.json.
func (c Config) Validate() error {
	for _, size := range []struct {
		name       string
		value, max int
	}{
		{"num_hidden_layers", c.Layers, 1 << 8}, {"hidden_size", c.Width, 1 << 14}, {"num_attention_heads", c.Heads, 1 << 14},
		{"intermediate_size", c.Hidden, 1 << 16}, {"vocab_size", c.Vocabulary, 1 << 22},
		{"max_position_embeddings", c.Positions, 1 << 16}, {"type_vocab_size", c.Types, 1 << 10},
	} {
		if size.value < 1 || size.value > size.max {
			return fmt.Errorf("%s is %d; it must be from 1 to %d", size.name, size.value, size.max)
		}
	}
	switch {
	case c.Width%c.Heads != 0:
		return fmt.Errorf("num_attention_heads %d does not divide hidden_size %d", c.Heads, c.Width)
	case !slices.Contains(activations, c.Activation):
		return fmt.Errorf("hidden_act is %q; supported are %q", c.Activation, activations)
	case !(c.Dropout >= 0 && c.Dropout < 1) || !(c.AttentionDropout >= 0 && c.AttentionDropout < 1):
		return fmt.Errorf("hidden_dropout_prob %g and attention_probs_dropout_prob %g must be at least 0 and below 1", c.Dropout, c.AttentionDropout)
	case !(c.Epsilon > 0 && c.Epsilon < 1) || !(c.Deviation >= 0 && c.Deviation < 1e3):
		return fmt.Errorf("layer_norm_eps %g must be above 0 and below 1, initializer_range %g at least 0", c.Epsilon, c.Deviation)
	}
	return nil
}

// Check tells whether token ids can be looked up: from 0 to vocab_size, at most max_position_embeddings of them, at least one.
func (c Config) Check(ids [][]int32) error {
	for i, text := range ids {
		if len(text) < 1 || len(text) > c.Positions {
			return fmt.Errorf("textenc: text %d has %d word pieces; the model takes 1 to %d", i, len(text), c.Positions)
		}
		for at, id := range text {
			if id < 0 || int(id) >= c.Vocabulary {
				return fmt.Errorf("textenc: word piece %d of text %d has the id %d; the model's vocabulary ends at %d: tokenise with the model's own tokenizer", at, i, id, c.Vocabulary-1)
			}
		}
	}
	return nil
}
