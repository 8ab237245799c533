// Package paper holds what the paper reports, Tables 1–4 and the findings of Figure 4, to be shown beside measured results
// and never instead of them. The numbers are read from tables.json; none stands in code.
package paper

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed tables.json
var source []byte

// The two data sets of the paper, as its tables name them.
const (
	MOSI  = "MOSI"
	MOSEI = "MOSEI"
)

// Pair holds a score twice: [0] over all examples, non-negative against negative; [1] without the neutral ones, positive
// against negative. Nil where not reported.
type Pair [2]*float64

// Scores are one model's on one data set. Acc2 and F1 are percentages. Nil where not reported.
type Scores struct {
	Acc2 Pair     `json:"acc2"`
	F1   Pair     `json:"f1"`
	Corr *float64 `json:"corr"`
	MAE  *float64 `json:"mae"`
}

// Get returns a score by the name that metric.Scores has for it: has0_acc2, has0_f1, non0_acc2, non0_f1 (as fractions, which
// the paper prints as percentages), corr or mae. It is false for what the paper does not report.
func (s Scores) Get(metric string) (value float64, ok bool) {
	value, ok = s.All()[metric]
	return value, ok
}

// All are the scores that are reported, by those names.
func (s Scores) All() map[string]float64 {
	found := map[string]float64{}
	for metric, reported := range map[string]*float64{
		"has0_acc2": s.Acc2[0], "non0_acc2": s.Acc2[1], "has0_f1": s.F1[0], "non0_f1": s.F1[1], "corr": s.Corr, "mae": s.MAE,
	} {
		if reported == nil {
			continue
		}
		unit := 1.0
		if strings.HasSuffix(metric, "_acc2") || strings.HasSuffix(metric, "_f1") {
			unit = 100
		}
		found[metric] = *reported / unit
	}
	return found
}

// Sizes counts a data set's examples by split.
type Sizes struct {
	Train int `json:"train"`
	Valid int `json:"valid"`
	Test  int `json:"test"`
	All   int `json:"all"`
}

// Result is one row of Table 2. MAG-BERT, MMIM and EMT have two: their papers' and the authors' rerun.
type Result struct {
	Model      string `json:"model"`
	Reproduced bool   `json:"reproduced"` // rerun by the authors of the paper
	Ours       bool   `json:"ours"`
	MOSI       Scores `json:"MOSI"`
	MOSEI      Scores `json:"MOSEI"`
}

// Ablation is one row of Table 3, on MOSEI.
type Ablation struct {
	Model string `json:"model"` // "-MRM", "-MFM", "-GateFusion", or "MMILN" for the whole
	Scores
}

// Case is one row of Table 4, an utterance of MOSI with its label and two predictions.
type Case struct {
	Text      string  `json:"text"`
	Behaviour string  `json:"behaviour"`
	Truth     float64 `json:"truth"`
	MMILN     float64 `json:"MMILN"`
	SelfMM    float64 `json:"Self-MM"`
}

// Layers is what the text says of Figure 4, the number of fusion layers on MOSI. The figure's values are not known.
type Layers struct {
	Caption  string            `json:"caption"`
	Layers   []int             `json:"layers"`
	Findings map[string]string `json:"findings"` // by "acc2_f1", "corr", "mae"
}

// Table is a caption and rows.
type Table[R any] struct {
	Caption string `json:"caption"`
	Rows    []R    `json:"rows"`
}

type document struct {
	Table1 struct {
		Caption string `json:"caption"`
		MOSI    Sizes  `json:"MOSI"`
		MOSEI   Sizes  `json:"MOSEI"`
	} `json:"table1"`
	Table2  Table[Result]   `json:"table2"`
	Table3  Table[Ablation] `json:"table3"`
	Table4  Table[Case]     `json:"table4"`
	Figure4 Layers          `json:"figure4"`
}

// read decodes the file anew, so that callers may change what they get.
func read() (d document) {
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		panic("paper: tables.json: " + err.Error()) // it is part of the binary, and tested
	}
	return d
}

// Table1 is the data sets' sizes, by name.
func Table1() map[string]Sizes {
	table := read().Table1
	return map[string]Sizes{MOSI: table.MOSI, MOSEI: table.MOSEI}
}

// Table2 compares MMILN with twelve systems.
func Table2() Table[Result] { return read().Table2 }

// Table3 is the ablations on MOSEI.
func Table3() Table[Ablation] { return read().Table3 }

// Table4 is the case study on MOSI.
func Table4() Table[Case] { return read().Table4 }

// Figure4 is what the text says of the number of fusion layers.
func Figure4() Layers { return read().Figure4 }

// Lookup finds what Table 2 reports for a model on a data set, whatever the case of the names and whether or not they have
// "CMU-" before or hyphens within. Of two rows it takes the authors' rerun, which ran under the same conditions as MMILN. It
// is an error, naming what there is, if the table has no such model or data set.
func Lookup(model, dataset string) (Scores, error) {
	rows := Table2().Rows
	slices.Reverse(rows) // reruns come last
	i := slices.IndexFunc(rows, func(r Result) bool { return plain(r.Model) == plain(model) })
	if i < 0 {
		return Scores{}, fmt.Errorf("paper: Table 2 has no model %q; it has %s", model, strings.Join(models(), ", "))
	}
	switch strings.TrimPrefix(plain(dataset), "cmu") {
	case plain(MOSI):
		return rows[i].MOSI, nil
	case plain(MOSEI):
		return rows[i].MOSEI, nil
	}
	return Scores{}, fmt.Errorf("paper: Table 2 has no data set %q; it has %s and %s", dataset, MOSI, MOSEI)
}

// LookupAblation finds a row of Table 3, such as "-MRM". It is an error, naming what there is, if the table has no such row.
func LookupAblation(row string) (Scores, error) {
	var names []string
	for _, r := range Table3().Rows {
		if r.Model == row {
			return r.Scores, nil
		}
		names = append(names, r.Model)
	}
	return Scores{}, fmt.Errorf("paper: Table 3 has no row %q; it has %s", row, strings.Join(names, ", "))
}

// models lists those of Table 2, once each, in its order.
func models() (names []string) {
	for _, row := range Table2().Rows {
		if !slices.Contains(names, row.Model) {
			names = append(names, row.Model)
		}
	}
	return names
}

func plain(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}
