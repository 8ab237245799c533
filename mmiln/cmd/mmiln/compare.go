package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// comparison is what compare prints as JSON.
type comparison struct {
	Differences []difference `json:"differences"`
	Table       *table.Table `json:"table"`
}

// difference is a setting, or a fact of where a row's runs ran, in which rows differ; values in the order of the rows.
type difference struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// side is one row to compare: runs with what they have in common.
type side struct {
	table.Group
	id    string
	facts map[string][]string // values by key; several where seeds differ
}

func compareCommand() *cobra.Command {
	var root, format string
	var asJSON bool
	var o table.Options
	command := &cobra.Command{
		Use:   "compare RUN|GROUP...",
		Short: "show what differs between runs or groups, and their scores with statistics",
		Long: `Compare finished runs. RUN is a run folder; GROUP is the name of a configuration as mmiln runs --group shows it (with or
without what follows @), and stands for its runs of every seed. Runs that differ in nothing but their seed become one row.
Differences are tested against the first row, or the one that --reference names.`,
		Example: `  mmiln compare runs/mmiln-planted-s1111-20261124-231500 runs/selfmm-planted-s1111-20261124-231800
  mmiln compare planted planted-text --metrics mae,corr
  mmiln compare clean752 clean752-selfmm --format latex > table.tex`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			sides, err := sidesOf(command, root, args)
			if err != nil {
				return err
			}
			c, err := compare(sides, o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), c)
			}
			if format == "terminal" {
				if err := printDifferences(command.OutOrStdout(), sides, c.Differences); err != nil {
					return err
				}
			}
			return c.Table.Write(command.OutOrStdout(), format)
		},
	}
	flags := command.Flags()
	flags.StringVar(&root, "runs", "runs", "folder of run folders, where groups are looked for")
	flags.StringVar(&format, "format", "terminal", "of the table: "+strings.Join(table.Formats, ", "))
	flags.BoolVar(&asJSON, "json", false, "print differences and table as JSON")
	flags.StringSliceVar(&o.Metrics, "metrics", nil, "metrics to show; default: those of the paper")
	flags.StringVar(&o.Reference, "reference", "", "name of the row to compare with; default: the first")
	flags.StringVar(&o.Title, "title", "", "of the table")
	flags.IntVar(&o.Resamples, "resamples", 10_000, "draws of bootstrap and permutation test")
	flags.Uint64Var(&o.Seed, "resampling-seed", 1, "seed of these draws")
	return command
}

func compare(sides []side, o table.Options) (comparison, error) {
	var groups []table.Group
	for _, s := range sides {
		groups = append(groups, s.Group)
	}
	if o.Reference == "" && len(sides) > 1 {
		o.Reference = sides[0].Name
	}
	t, err := table.Compute(groups, o)
	if err != nil {
		return comparison{}, err
	}
	for _, r := range t.Rows {
		if t.Reference != "" && r.Name != t.Reference && r.Scores[0].Against == nil {
			return comparison{}, fmt.Errorf("%s (on %s) and %s were tested on different examples; compare runs of one data set", r.Name, r.Data, t.Reference)
		}
	}
	return comparison{differences(sides), t}, nil
}

// sidesOf resolves what the command line names. Single runs of one setup become one row, unless they share a seed or nothing
// else is left to compare with.
func sidesOf(command *cobra.Command, root string, args []string) ([]side, error) {
	var sides []side
	for _, arg := range args {
		s, err := sideOf(command, root, arg)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	if joined := join(sides); len(joined) > 1 {
		sides = joined
	}
	return sides, nameApart(sides)
}

func sideOf(command *cobra.Command, root, arg string) (side, error) {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return sideOfRuns([]string{arg})
	}
	if _, err := os.Stat(root); err != nil {
		return side{}, fmt.Errorf("%s is neither a run folder nor, since there is no folder %s, a group", arg, root)
	}
	list, err := listRuns(command, root)
	if err != nil {
		return side{}, err
	}
	groups, err := groupRuns(list)
	if err != nil {
		return side{}, err
	}
	var found []*group
	var handles []string
	for _, g := range groups {
		handles = append(handles, g.handle())
		if arg == g.Name || arg == g.handle() {
			found = append(found, g)
		}
	}
	switch len(found) {
	case 1:
		return sideOfRuns(found[0].Runs)
	case 0:
		return side{}, fmt.Errorf("%s is neither a run folder nor a group of finished runs in %s; groups are: %s", arg, root, cmp.Or(strings.Join(handles, ", "), "none"))
	}
	handles = nil
	for _, g := range found {
		handles = append(handles, g.handle())
	}
	return side{}, fmt.Errorf("%d groups in %s are called %s; say which: %s", len(found), root, arg, strings.Join(handles, ", "))
}

// sideOfRuns reads what runs of one setup have in common.
func sideOfRuns(dirs []string) (s side, err error) {
	s.facts = map[string][]string{}
	for _, dir := range dirs {
		reader, err := record.Open(dir)
		if err != nil {
			return s, err
		}
		m := reader.Manifest()
		s.Name, s.Data = m.Model, m.Data.Name
		if s.id, err = setupID(m); err != nil {
			return s, err
		}
		settings, err := experiment.Settings(m)
		if err != nil {
			return s, err
		}
		delete(settings, "name") // rows are named already
		s.note(settings)
		s.note(origin(m))
		s.Runs = append(s.Runs, dir)
	}
	return s, nil
}

// note adds facts of a run to those of the others of its row.
func (s side) note(facts map[string]string) {
	for key, value := range facts {
		if !slices.Contains(s.facts[key], value) {
			s.facts[key] = append(s.facts[key], value)
		}
	}
}

// origin is where a run comes from, under keys that no setting has.
func origin(m record.Manifest) map[string]string {
	commit := shortened(m.Commit)
	if m.Dirty {
		commit += " with changes"
	}
	return map[string]string{
		"(data)": m.Data.Name, "(data hash)": shortened(m.Data.Card), "(commit)": commit, "(backend)": m.Backend, "(Go)": m.Go,
		"(text encoder)": shortened(m.Encoder),
	}
}

func shortened(hash string) string {
	if len(hash) > 12 && hash != "unknown" {
		return hash[:12]
	}
	return hash
}

// join puts runs of one setup together where no seed comes twice.
func join(sides []side) (joined []side) {
	for _, s := range sides {
		i := slices.IndexFunc(joined, func(k side) bool { return k.id == s.id && k.Name == s.Name && apart(k.facts["seed"], s.facts["seed"]) })
		if i < 0 {
			joined = append(joined, s)
			continue
		}
		if both, err := sideOfRuns(slices.Concat(joined[i].Runs, s.Runs)); err == nil {
			joined[i] = both
		}
	}
	return joined
}

// apart says whether two lists have nothing in common.
func apart(a, b []string) bool {
	return !slices.ContainsFunc(b, func(v string) bool { return slices.Contains(a, v) })
}

// nameApart gives rows of one name other names: that of the setup, and where that is the same too, of the run.
func nameApart(sides []side) error {
	for _, rename := range []func(side) string{
		func(s side) string { return s.Name + "@" + s.id },
		func(s side) string { return filepath.Base(s.Runs[0]) },
		func(s side) string { return s.Runs[0] },
	} {
		count := map[string]int{}
		for _, s := range sides {
			count[s.Name]++
		}
		for i, s := range sides {
			if count[s.Name] > 1 {
				sides[i].Name = rename(s)
			}
		}
	}
	seen := map[string]bool{}
	for _, s := range sides {
		if seen[s.Name] {
			return errors.New(s.Name + " is given twice; give each run or group once")
		}
		seen[s.Name] = true
	}
	return nil
}

// differences lists the keys whose values are not the same in every row.
func differences(sides []side) []difference {
	keys := map[string]bool{}
	for _, s := range sides {
		for key := range s.facts {
			keys[key] = true
		}
	}
	found := []difference{} // [] where there is none
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d := difference{Key: key}
		for _, s := range sides {
			d.Values = append(d.Values, strings.Join(s.facts[key], ", "))
		}
		if slices.ContainsFunc(d.Values, func(v string) bool { return v != d.Values[0] }) {
			found = append(found, d)
		}
	}
	return found
}

func printDifferences(out io.Writer, sides []side, found []difference) error {
	if len(found) == 0 {
		if len(sides) > 1 {
			fmt.Fprintln(out, "The configurations, and where they ran, are the same.")
			fmt.Fprintln(out)
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range sides {
		fmt.Fprintf(w, "\t%s", table.Inert(s.Name))
	}
	fmt.Fprintln(w)
	for _, d := range found {
		fmt.Fprint(w, table.Inert(d.Key))
		for _, v := range d.Values {
			fmt.Fprint(w, "\t", table.Inert(v))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	return w.Flush()
}
