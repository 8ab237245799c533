package mmiln

import (
	"fmt"
	"strconv"
)

// Readings say how the paper is read where it is silent or contradicts itself. The first option in [ReadingTable] is the
// default. R6 has no alternative, R14 and R17 are in [ULGMConfig], R15 is every number of [Config], R16 the ablation
// no_gate_fusion.
type Readings struct {
	Memory        string  `toml:"memory" json:"memory"`                 // R1
	Kernel        int     `toml:"kernel" json:"kernel"`                 // R2
	Directions    string  `toml:"directions" json:"directions"`         // R3
	SummaryPool   string  `toml:"summary_pool" json:"summary_pool"`     // R4
	GateScope     string  `toml:"gate_scope" json:"gate_scope"`         // R5
	GateBias      bool    `toml:"gate_bias" json:"gate_bias"`           // R7
	SelfAttention string  `toml:"self_attention" json:"self_attention"` // R8
	Orders        int     `toml:"orders" json:"orders"`                 // R9
	Span          float64 `toml:"span" json:"span"`                     // R10
	Orthogonality string  `toml:"orthogonality" json:"orthogonality"`   // R11
	DetachNorm    bool    `toml:"detach_norm" json:"detach_norm"`       // R11
	SummaryLayers string  `toml:"summary_layers" json:"summary_layers"` // R12
	Pool          string  `toml:"pool" json:"pool"`                     // R13
}

// DefaultReadings takes the first option everywhere.
func DefaultReadings() Readings {
	return Readings{
		Memory: "sequence", Kernel: 3, Directions: "concat", SummaryPool: "valid", GateScope: "utterance", GateBias: true,
		SelfAttention: "multihead", Orders: 5, Span: 2, Orthogonality: "soft", SummaryLayers: "last", Pool: "mean",
	}
}

// Reading is one row of the table of readings.
type Reading struct {
	ID, Key  string
	Question string
	Options  []string // the first is the default
	value    func(Readings) string
}

// ReadingTable lists the readings of the network, in the paper's order.
func ReadingTable() []Reading {
	return []Reading{
		{"R1", "memory", "What does Eq. (4) convolve: every state, or the last (text: the first token)?",
			[]string{"sequence", "last"}, func(r Readings) string { return r.Memory }},
		{"R2", "kernel", "How wide is the convolution of Eq. (4)?",
			[]string{"3", "1"}, func(r Readings) string { return strconv.Itoa(r.Kernel) }},
		{"R3", "directions", "How do the BiGRU's directions make ĥ ∈ R^{d_s}: d_s/2 each, or d_s each and averaged?",
			[]string{"concat", "average"}, func(r Readings) string { return r.Directions }},
		{"R4", "summary_pool", "Does avgpool of Eqs. (7), (16) divide by the valid steps or by all of the batch?",
			[]string{"valid", "all"}, func(r Readings) string { return r.SummaryPool }},
		{"R5", "gate_scope", "Is there one gate vector an utterance, or one a step?",
			[]string{"utterance", "step"}, func(r Readings) string { return r.GateScope }},
		{"R7", "gate_bias", "Do the gates' matrices have biases?",
			[]string{"true", "false"}, func(r Readings) string { return strconv.FormatBool(r.GateBias) }},
		{"R8", "self_attention", "What is Self-Attention of Eq. (15): multi-head, one head, or with a residual?",
			[]string{"multihead", "single", "residual"}, func(r Readings) string { return r.SelfAttention }},
		{"R9", "orders", "How many moments does CMD compare?",
			[]string{"5", "1", "2", "3", "4", "6", "7"}, func(r Readings) string { return strconv.Itoa(r.Orders) }},
		{"R10", "span", "What is |b−a| in Eq. (24)?",
			[]string{"2", "1"}, func(r Readings) string { return strconv.FormatFloat(r.Span, 'g', -1, 64) }},
		{"R11", "orthogonality", "Is Eq. (26) centred, normalised and divided by d_s², or raw as printed?",
			[]string{"soft", "raw"}, func(r Readings) string { return r.Orthogonality }},
		{"R11", "detach_norm", "Are the norms of the soft form constants to the gradient (MISA) or not (DSN)?",
			[]string{"false", "true"}, func(r Readings) string { return strconv.FormatBool(r.DetachNorm) }},
		{"R12", "summary_layers", "Which layers' ĥ enter ℓ_sim and ℓ_diff?",
			[]string{"last", "all"}, func(r Readings) string { return r.SummaryLayers }},
		{"R13", "pool", "How are the sequences ta and tv pooled for Eq. (27): mean, or first token?",
			[]string{"mean", "first"}, func(r Readings) string { return r.Pool }},
	}
}

// Validate names the first reading that is not among its options.
func (r Readings) Validate() error {
	for _, row := range ReadingTable() {
		if err := oneOf(fmt.Sprintf("readings.%s (%s)", row.Key, row.ID), row.value(r), row.Options...); err != nil {
			return err
		}
	}
	return nil
}
