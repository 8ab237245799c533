package report

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots"
)

// cards fills in what stands behind the numbers.
func (v *view) cards() error {
	seen := map[string]bool{}
	for _, run := range v.Runs {
		m := run.Manifest()
		if !seen[m.Data.Card] {
			seen[m.Data.Card] = true
			v.Cards = append(v.Cards, dataCard(m))
		}
		c, err := costOf(run)
		if err != nil {
			return err
		}
		v.Costs = append(v.Costs, c)
		r, err := recipeOf(run)
		if err != nil {
			return err
		}
		v.Recipes = append(v.Recipes, r)
	}
	var err error
	if v.Settings, err = settingsOf(v.firstRuns()); err != nil {
		return err
	}
	v.Readings, err = readingsOf(v.firstRuns())
	return err
}

// card is a data set; Card is nil where the folder is not at hand any more, or holds something else.
type card struct {
	Name, Hash, Note string
	Card             *data.Card
}

func dataCard(m record.Manifest) card {
	c := card{Name: m.Data.Name, Hash: m.Data.Card}
	development, note := dataOf(m)
	if development == nil {
		c.Note = note
		return c
	}
	found := development.Card()
	c.Card = &found
	return c
}

// dataOf opens what a run was trained on. Where that is not to be had, it is nil and the note says why.
func dataOf(m record.Manifest) (found *data.Development, note string) {
	development, _, err := data.Open(m.Data.Dir)
	if err != nil {
		return nil, fmt.Sprintf("The folder %s cannot be read now, so that only its hash is shown.", m.Data.Dir)
	}
	if development.Card().SHA256() != m.Data.Card {
		return nil, fmt.Sprintf("The folder %s now holds other data than the runs were trained on.", m.Data.Dir)
	}
	return development, ""
}

// truthsOf are the unimodal truths of a run's training examples, where its data are at hand and know them.
func truthsOf(m record.Manifest) plots.Truths {
	development, _ := dataOf(m)
	if development == nil {
		return nil
	}
	truths := plots.Truths{}
	for task, modality := range map[mmiln.Task]data.Modality{mmiln.Audio: data.Audio, mmiln.Vision: data.Vision} {
		if !development.Schema().Unimodal[modality] {
			continue
		}
		truths[task] = map[string]float32{}
		for i := range development.Train.Len() {
			if info := development.Train.Info(i); !math.IsNaN(float64(info.Unimodal[modality])) {
				truths[task][info.ID] = info.Unimodal[modality]
			}
		}
	}
	return truths
}

// cost is what one run took.
type cost struct {
	Run, Backend, Machine string
	record.Cost
	Epochs  int
	Seconds float64 // per epoch, the mean
}

type seconds struct {
	Seconds float64 `json:"seconds"`
}

func costOf(run *record.Reader) (cost, error) {
	m := run.Manifest()
	lines, err := record.Read[seconds](run, record.Timing)
	if err != nil {
		return cost{}, err
	}
	c := cost{Run: m.Name, Backend: m.Backend, Cost: m.Cost, Epochs: len(lines),
		Machine: fmt.Sprintf("%s/%s, %d cores, %.0f GiB", m.Host.OS, m.Host.Arch, m.Host.CPUs, float64(m.Host.Memory)/(1<<30))}
	for _, line := range lines {
		c.Seconds += line.Seconds / float64(len(lines))
	}
	return c, nil
}

// recipe is how to do a run again.
type recipe struct {
	Run, Status, Commit, Go, Created string
	Seed                             uint64
	Dirty                            bool
	Command                          string
	Modules                          []string
	Openings                         []record.Opening
	Config                           string
}

func recipeOf(run *record.Reader) (recipe, error) {
	m := run.Manifest()
	r := recipe{
		Run: m.Name, Status: string(m.Status), Commit: m.Commit, Dirty: m.Dirty, Go: m.Go, Seed: m.Seed,
		Created: m.Created.Format("2006-01-02 15:04 MST"), Command: commandLine(m.Argv),
	}
	for _, name := range slices.Sorted(maps.Keys(m.Modules)) {
		r.Modules = append(r.Modules, name+" "+m.Modules[name])
	}
	var err error
	if r.Openings, err = run.Openings(); err != nil {
		return r, err
	}
	text, err := run.Config()
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	r.Config = string(text)
	return r, err
}

// commandLine quotes what a shell would take apart.
func commandLine(argv []string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = arg
		if arg == "" || strings.ContainsAny(arg, " \t\n'\"\\$`!*?[]{}()<>|&;#~") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// settings is a table of configurations, one column a row of results.
type settings struct {
	Names []string
	Rows  []setting
}

type setting struct {
	Key    string
	Values []string
	Differ bool
}

func settingsOf(runs []*record.Reader) (s settings, err error) {
	all := make([]map[string]string, len(runs))
	keys := map[string]bool{}
	for i, run := range runs {
		if all[i], err = experiment.Settings(run.Manifest()); err != nil {
			return s, err
		}
		s.Names = append(s.Names, run.Manifest().Model)
		for key := range all[i] {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		row := setting{Key: key}
		for i := range runs {
			row.Values = append(row.Values, all[i][key])
			row.Differ = row.Differ || all[i][key] != all[0][key]
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// reading is one row of the table of readings with what each run took.
type reading struct {
	ID, Question, Default string
	Taken                 []string
}

func readingsOf(runs []*record.Reader) (rows []reading, err error) {
	for _, r := range mmiln.ReadingTable() {
		row := reading{ID: r.ID, Question: r.Question, Default: r.Options[0]}
		for _, run := range runs {
			value, err := settingOf(run, "mmiln.readings."+r.Key)
			if err != nil {
				return nil, err
			}
			row.Taken = append(row.Taken, strings.Trim(value, `"`))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func tasksOf(line experiment.ULGMLine) []mmiln.Task { return slices.Sorted(maps.Keys(line.Tasks)) }
