// Package casestudy looks at single utterances through several trained models, as Table 4 of the paper does: what each predicts,
// its predictions from one modality alone, the pseudo-labels it was trained on, its gates and its attention.
package casestudy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/gomlx/compute"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Query names an example by its id or by its words, which are compared without case, punctuation and spaces; or it is a
// sentence of one's own, for models that read sentences, with .npy files of features where there are any.
type Query struct {
	ID, Words     string
	Paper         *paper.Case // what Table 4 says of it; nil: nothing
	Sentence      string
	Audio, Vision string // paths
}

// own says whether the utterance is in no data set.
func (q Query) own() bool { return q.Sentence != "" }

// Table4 asks for the four utterances of the paper.
func Table4() (queries []Query) {
	for _, c := range paper.Table4().Rows {
		queries = append(queries, Query{Words: c.Text, Paper: &c})
	}
	return queries
}

// Options say how to look.
type Options struct {
	Backend compute.Backend
	Data    string // folder of a data set in place of the one that each run was trained on; "": that one
	Reason  string // recorded in a run where its test split has to be opened
}

// Result is plain data.
type Result struct {
	Runs  []Run  `json:"runs"` // in the order given
	Cases []Case `json:"cases"`
}

// Run is one of the models.
type Run struct {
	Dir       string `json:"dir"`
	Name      string `json:"name"`
	System    string `json:"system"` // mmiln or selfmm
	Seed      uint64 `json:"seed"`
	BestEpoch int    `json:"best_epoch"` // whose weights these are
	Data      string `json:"data"`
	// Absent are the modalities that the data lack: what a head predicts from one is the same for every example.
	Absent []mmiln.Task `json:"absent,omitempty"`
}

// Case is one utterance.
type Case struct {
	Query string        `json:"query"`           // as asked
	Found bool          `json:"found"`           // in the data of one run at least
	ID    string        `json:"id,omitempty"`    // in the first data set that has it
	Words string        `json:"words,omitempty"` // there
	Label record.Number `json:"label"`           // there; null where it was not found
	Paper *paper.Case   `json:"paper,omitempty"`
	Views []View        `json:"views"` // one a run, in the order of Result.Runs
}

// View is an utterance as one model sees it.
type View struct {
	Found        bool                      `json:"found"`           // in this run's data
	Split        data.SplitName            `json:"split,omitempty"` // that it lies in there
	Evidence     bool                      `json:"evidence"`        // the model was neither trained nor selected on it
	Note         string                    `json:"note,omitempty"`  // why not
	Predictions  map[mmiln.Task]float64    `json:"predictions,omitempty"`
	PseudoLabels map[mmiln.Task]Trajectory `json:"pseudo_labels,omitempty"` // of training examples
	Gates        []Gate                    `json:"gates,omitempty"`
	Attention    []Attention               `json:"attention,omitempty"`
}

// Trajectory is a pseudo-label over training.
type Trajectory struct {
	Best   float64   `json:"best"` // at the end of the best epoch
	Epochs []int     `json:"epochs"`
	Labels []float64 `json:"labels"`
}

// Gate is how open a gate is for the utterance: the mean over steps and channels.
type Gate struct {
	Layer    int        `json:"layer"`    // from 1
	Part     string     `json:"part"`     // gate or sag, the transformer it belongs to
	Modality mmiln.Task `json:"modality"` // audio or vision
	Gate     string     `json:"gate"`     // g_r, g_c or g_s
	Mean     float64    `json:"mean"`
}

// Attention is one attention of the utterance, the mean over heads.
type Attention struct {
	Layer    int         `json:"layer"`    // from 1
	Part     string      `json:"part"`     // gate (the modality to itself), self (text to itself) or sag (text to the modality)
	Modality mmiln.Task  `json:"modality"` // audio or vision; of self, the pair that it belongs to
	Steps    []float64   `json:"steps"`    // how much each key is attended, the mean over queries; the sum is 1
	Weights  [][]float32 `json:"weights"`  // [queries][keys]
}

// Study looks at each query through each run. A query by id that no run's data has is an error; one by words, which may be of
// another data set, is a case that was not found. Test splits are opened, which is recorded in the run, only where a query is in
// neither of the others.
func Study(runs []string, queries []Query, o Options) (*Result, error) {
	if len(runs) == 0 || len(queries) == 0 {
		return nil, fmt.Errorf("%d runs and %d utterances; name one of each at least", len(runs), len(queries))
	}
	if err := check(queries); err != nil {
		return nil, err
	}
	r := &Result{}
	for _, q := range queries {
		r.Cases = append(r.Cases, Case{Query: q.name(), Label: record.Number(math.NaN()), Paper: q.Paper})
	}
	for _, dir := range runs {
		s, err := open(dir, o)
		if err != nil {
			return nil, err
		}
		r.Runs = append(r.Runs, s.run)
		if err := s.view(r.Cases, queries, o); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	for i, q := range queries {
		if q.ID != "" && !r.Cases[i].Found {
			return nil, fmt.Errorf("no data set of these runs has an example %q; mmiln predict --run RUN lists ids", q.ID)
		}
	}
	return r, nil
}

func check(queries []Query) error {
	for _, q := range queries {
		if q.ID == "" && letters(q.Words) == "" && !q.own() {
			return errors.New("an utterance has neither id nor words; give one of them")
		}
	}
	return nil
}

func (q Query) name() string {
	return cmp.Or(q.Sentence, q.ID, q.Words)
}

// matches says whether an example is meant. Ids of MOSI come as "video_3" and, from MMSA, as "video$_$3".
func (q Query) matches(info data.Info) bool {
	switch {
	case q.own():
		return false
	case q.ID != "":
		return info.ID == q.ID || plain(info.ID) == plain(q.ID)
	}
	return letters(info.Words) == letters(q.Words)
}

func plain(id string) string { return strings.ReplaceAll(id, "$_$", "_") }

// letters are a transcript's letters and digits alone, in lower case.
func letters(words string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, words)
}

// Found counts the cases that some data set has.
func (r *Result) Found() int {
	return len(slices.DeleteFunc(slices.Clone(r.Cases), func(c Case) bool { return !c.Found }))
}
