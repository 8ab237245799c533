package study

import (
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

// Waiting is the status of a run that was not begun.
const Waiting record.Status = "waiting"

// Status is how far an experiment has come.
type Status struct {
	Name   string      `json:"name"`
	Title  string      `json:"title"`
	Dir    string      `json:"dir"`
	Worker string      `json:"worker,omitempty"` // the process that works on it
	Rows   []RowStatus `json:"rows"`

	LeftOut []plan.LeftOut `json:"left_out,omitempty"`
}

// RowStatus is one row's.
type RowStatus struct {
	Row    string      `json:"row"`
	Data   string      `json:"data"`
	Tried  int         `json:"tried,omitempty"`  // trials, failed ones included
	Trials int         `json:"trials,omitempty"` // in total; 0 where nothing is searched
	Search string      `json:"search,omitempty"` // what came of it
	Runs   []RunStatus `json:"runs"`             // by seed
}

// RunStatus is one run's.
type RunStatus struct {
	Seed   uint64             `json:"seed"`
	Status record.Status      `json:"status"`
	Dir    string             `json:"dir,omitempty"`
	Epoch  int                `json:"epoch,omitempty"` // that have ended
	Epochs int                `json:"epochs"`          // at most
	Error  string             `json:"error,omitempty"`
	Result *experiment.Result `json:"result,omitempty"`
}

// Status reads the folder, which may be worked on at the same time.
func (s *Study) Status() (Status, error) {
	p := s.manifest.Plan
	status := Status{Name: p.Name, Title: p.Title, Dir: s.dir, LeftOut: p.LeftOut}
	status.Worker, _ = s.Worked()
	trials, err := s.Trials()
	if err != nil {
		return status, err
	}
	for _, row := range p.Rows {
		r := RowStatus{Row: row.Name, Data: row.Data}
		chosen, err := s.chosen(row, trials)
		if err != nil {
			r.Search = err.Error()
		} else {
			r.Search = s.searchNote(row, chosen)
		}
		r.count(s, row, trials)
		known := experiment.Known(s.runs(row))
		for _, seed := range p.Seeds {
			r.Runs = append(r.Runs, s.runStatus(row, chosen, known, seed))
		}
		status.Rows = append(status.Rows, r)
	}
	return status, nil
}

func (r *RowStatus) count(s *Study, row plan.Row, trials []Trial) {
	if len(row.Space) == 0 {
		return
	}
	if r.Trials = s.manifest.Plan.Search.Trials; r.Trials == 0 {
		r.Trials = (tune.Grid{}).Total(row.Space)
	}
	for _, t := range trials {
		if t.Row == row.Slug {
			r.Tried++
		}
	}
}

// runStatus looks for a seed's run among those of its row.
func (s *Study) runStatus(row plan.Row, chosen *Chosen, known map[string]record.Summary, seed uint64) RunStatus {
	r := RunStatus{Seed: seed, Status: Waiting, Epochs: row.Config.Train.MaxEpochs}
	if chosen == nil {
		return r
	}
	c := chosen.Config
	c.Seed, r.Epochs = seed, c.Train.MaxEpochs
	key, err := s.key(c)
	if err != nil {
		return r
	}
	run, ok := known[key]
	if !ok {
		return r
	}
	r.Status, r.Dir, r.Error = run.Manifest.Status, run.Dir, run.Manifest.Error
	if result, err := experiment.ResultOf(run.Manifest); err == nil {
		result.Dir, r.Result, r.Epoch = run.Dir, &result, result.Epochs
		return r
	}
	if reader, err := record.Open(run.Dir); err == nil {
		lines, _ := reader.Metrics() // as far as they can be read
		r.Epoch = len(lines)
	}
	return r
}

// Progress is how much of the whole is done: runs and trials, an unfinished run counting by its epochs.
func (s Status) Progress() (done, total float64) {
	for _, row := range s.Rows {
		done, total = done+float64(row.Tried), total+float64(row.Trials)
		for _, run := range row.Runs {
			total++
			switch {
			case run.Status == record.Finished:
				done++
			case run.Epochs > 0:
				done += 0.95 * float64(run.Epoch) / float64(run.Epochs)
			}
		}
	}
	return done, total
}

// Counts counts runs by status.
func (s Status) Counts() map[record.Status]int {
	counts := map[record.Status]int{}
	for _, row := range s.Rows {
		for _, run := range row.Runs {
			counts[run.Status]++
		}
	}
	return counts
}

// Groups are the finished runs of each row, for package table, with the paper's scores and what was searched; then the rows of
// the paper alone. There are none before a run has finished.
func (s *Study) Groups() ([]table.Group, error) {
	status, err := s.Status()
	if err != nil {
		return nil, err
	}
	var groups []table.Group
	for i, row := range s.manifest.Plan.Rows {
		g := table.Group{Name: row.Name, Data: row.Data, Search: status.Rows[i].Search}
		for _, run := range status.Rows[i].Runs {
			if run.Status == record.Finished {
				g.Runs = append(g.Runs, run.Dir)
			}
		}
		if g.Paper, g.PaperNote, err = s.paper(row.Paper, row.Data); err != nil {
			return nil, err
		}
		if len(g.Runs) > 0 {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	beside, err := s.beside()
	return append(groups, beside...), err
}

// beside are the rows of the paper alone, for each data set that stands for one of the paper's.
func (s *Study) beside() (groups []table.Group, err error) {
	for _, d := range s.manifest.Plan.Data {
		for _, row := range s.manifest.Plan.Beside {
			g := table.Group{Name: row.Row, Data: d.Name}
			if g.Paper, g.PaperNote, err = s.paper(&row, d.Name); err != nil {
				return nil, err
			}
			if g.Paper != nil {
				groups = append(groups, g)
			}
		}
	}
	return groups, nil
}

// paper are the scores of a row of the paper; none where the data set stands for none of the paper's.
func (s *Study) paper(row *plan.Paper, data string) (map[string]float64, string, error) {
	for _, d := range s.manifest.Plan.Data {
		if d.Name == data && d.Paper != "" && row != nil {
			return row.Scores(d.Paper)
		}
	}
	return nil, "", nil
}
