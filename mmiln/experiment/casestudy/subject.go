package casestudy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// subject is a run with its data.
type subject struct {
	run         Run
	reader      *record.Reader
	predictor   *experiment.Predictor
	development *data.Development
	sealed      *data.Sealed
}

func open(dir string, o Options) (s subject, err error) {
	if s.reader, err = record.Open(dir); err != nil {
		return s, err
	}
	m := s.reader.Manifest()
	if m.Status != record.Finished {
		return s, fmt.Errorf("%s is %s, and its model may still change; resume it first: mmiln resume %s", dir, m.Status, dir)
	}
	if s.predictor, err = experiment.OpenPredictor(dir, o.Backend); err != nil {
		return s, err
	}
	c := s.predictor.Config
	if s.development, s.sealed, err = data.Open(cmp.Or(o.Data, c.Data.Dir)); err != nil {
		return s, err
	}
	s.run = Run{Dir: dir, Name: c.Name, System: c.System, Seed: c.Seed, BestEpoch: s.predictor.Epoch, Data: s.development.Card().Name}
	for _, m := range []data.Modality{data.Audio, data.Vision} {
		if s.development.Schema().Width[m] == 0 {
			s.run.Absent = append(s.run.Absent, mmiln.Task(m.String()))
		}
	}
	return s, nil
}

// hit is where a query was found.
type hit struct {
	split data.SplitName
	row   int
}

// view adds this run's view to every case.
func (s subject) view(cases []Case, queries []Query, o Options) error {
	splits := map[data.SplitName]data.Examples{data.Train: s.development.Train, data.Valid: s.development.Valid}
	hits := search(queries, splits)
	if err := s.transcripts(queries, splits); err != nil {
		return err
	}
	if missing(queries, hits) {
		test, err := experiment.OpenTest(s.run.Dir, s.sealed, cmp.Or(o.Reason, "case study"))
		if err != nil {
			return err
		}
		splits[data.Test] = test
		hits = search(queries, splits)
	}
	for i := range cases {
		cases[i].Views = append(cases[i].Views, View{})
	}
	pseudo, err := s.pseudoLabels(hits, splits)
	if err != nil {
		return err
	}
	for _, split := range data.Splits {
		if err := s.inspect(split, splits[split], cases, hits, o); err != nil {
			return err
		}
	}
	for i, hit := range hits {
		if queries[i].own() {
			if err := s.own(queries[i], &cases[i]); err != nil {
				return err
			}
		}
		if hit != nil {
			info := splits[hit.split].Info(hit.row)
			cases[i].describe(info)
			cases[i].Views[len(cases[i].Views)-1].PseudoLabels = pseudo[info.ID]
		}
	}
	return nil
}

// missing says whether an example was not found yet.
func missing(queries []Query, hits []*hit) bool {
	for i, q := range queries {
		if hits[i] == nil && !q.own() {
			return true
		}
	}
	return false
}

// own looks at a sentence that is in no data set.
func (s subject) own(q Query, c *Case) error {
	u, err := s.predictor.Utterances([]string{q.Sentence})
	if err != nil {
		return err
	}
	for m, path := range map[data.Modality]string{data.Audio: q.Audio, data.Vision: q.Vision} {
		if path == "" {
			continue
		}
		if err := u.Read(m, path); err != nil {
			return err
		}
	}
	found, err := s.predictor.Inspect(u, []int{0})
	if err != nil {
		return err
	}
	v := viewOf("", found[0], false)
	v.Evidence = true
	for _, m := range u.Missing() {
		v.Note += fmt.Sprintf("it was given no %s; ", m)
	}
	v.Note = strings.TrimSuffix(v.Note, "; ")
	c.Found, c.Words = true, q.Sentence
	c.Views[len(c.Views)-1] = v
	return nil
}

// transcripts is an error where words are asked for and there are none.
func (s subject) transcripts(queries []Query, splits map[data.SplitName]data.Examples) error {
	byWords := slices.ContainsFunc(queries, func(q Query) bool { return q.ID == "" && !q.own() })
	for _, examples := range splits {
		for i := range examples.Len() {
			if !byWords || examples.Info(i).Words != "" {
				return nil
			}
		}
	}
	return fmt.Errorf("the data set %s has no transcripts to look words up in; name examples by their ids, or import the data with its text", s.run.Data)
}

// search finds each query; nil where no split has it.
func search(queries []Query, splits map[data.SplitName]data.Examples) []*hit {
	hits := make([]*hit, len(queries))
	for _, name := range data.Splits {
		examples := splits[name]
		if examples == nil {
			continue
		}
		for row := range examples.Len() {
			info := examples.Info(row)
			for i, q := range queries {
				if hits[i] == nil && q.matches(info) {
					hits[i] = &hit{name, row}
				}
			}
		}
	}
	return hits
}

// describe takes what the first data set that has an utterance says of it.
func (c *Case) describe(info data.Info) {
	if !c.Found {
		c.Found, c.ID, c.Words, c.Label = true, info.ID, info.Words, record.Number(info.Label)
	}
}

var notes = map[data.SplitName]string{
	data.Train: "the model was trained on this very example: its prediction is no evidence of anything",
	data.Valid: "the epoch was selected on a split that holds this example: its prediction is weak evidence",
}

// inspect fills in the views of the queries that lie in one split.
func (s subject) inspect(split data.SplitName, examples data.Examples, cases []Case, hits []*hit, o Options) error {
	var rows, of []int
	for i, h := range hits {
		if h != nil && h.split == split {
			rows, of = append(rows, h.row), append(of, i)
		}
	}
	found, err := s.predictor.Inspect(examples, rows)
	if err != nil {
		return err
	}
	for k, n := range found {
		views := cases[of[k]].Views
		views[len(views)-1] = viewOf(split, n, o.Data != "")
	}
	return nil
}

// viewOf knows nothing of what other data a model was trained on.
func viewOf(split data.SplitName, n experiment.Inspection, other bool) View {
	v := View{Found: true, Split: split, Evidence: split == data.Test, Note: notes[split], Predictions: map[mmiln.Task]float64{}}
	if other {
		v.Evidence, v.Note = false, "the data set is not that of training: whether the model was trained on this example is not known"
	}
	for task, value := range n.Predictions {
		v.Predictions[task] = float64(value)
	}
	for _, g := range n.Gates {
		layer, part, modality, name := parse(g.Tap)
		v.Gates = append(v.Gates, Gate{layer, part, modality, name, g.Mean})
	}
	for _, a := range n.Attention {
		layer, part, modality, name := parse(a.Tap)
		if name == "self" {
			part = name
		}
		v.Attention = append(v.Attention, Attention{layer, part, modality, overQueries(a.Weights), a.Weights})
	}
	return v
}

// parse takes apart a tap's name, layers.<i>.<gate or sag>.<modality>.<what>.
func parse(tap string) (layer int, part string, modality mmiln.Task, what string) {
	parts := append(strings.Split(tap, "."), "", "", "", "", "")
	layer, _ = strconv.Atoi(parts[1]) // 0 for a tap of another shape, which no model of the project has
	return layer + 1, parts[2], mmiln.Task(parts[3]), parts[4]
}

// overQueries is the mean weight of each key.
func overQueries(weights [][]float32) []float64 {
	if len(weights) == 0 {
		return nil
	}
	means := make([]float64, len(weights[0]))
	for _, row := range weights {
		for k, w := range row {
			means[k] += float64(w) / float64(len(weights))
		}
	}
	return means
}

// pseudoLabels reads those of the training examples among the hits, by id.
func (s subject) pseudoLabels(hits []*hit, splits map[data.SplitName]data.Examples) (map[string]map[mmiln.Task]Trajectory, error) {
	found := map[string]map[mmiln.Task]Trajectory{}
	for _, h := range hits {
		if h != nil && h.split == data.Train {
			found[splits[h.split].Info(h.row).ID] = map[mmiln.Task]Trajectory{}
		}
	}
	if len(found) == 0 {
		return found, nil
	}
	for label, err := range s.reader.PseudoLabels() {
		if err != nil {
			return nil, err
		}
		of, ok := found[label.ID]
		if !ok {
			continue
		}
		t := of[mmiln.Task(label.Task)]
		t.Epochs, t.Labels = append(t.Epochs, label.Epoch), append(t.Labels, float64(label.Label))
		if label.Epoch == s.run.BestEpoch {
			t.Best = float64(label.Label)
		}
		of[mmiln.Task(label.Task)] = t
	}
	return found, nil
}
