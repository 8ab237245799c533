package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// repetition is what rerun prints as JSON.
type repetition struct {
	Run        string       `json:"run"`
	Repeated   string       `json:"repeated"` // the new folder
	Identical  bool         `json:"identical"`
	Files      []fileCheck  `json:"files"`
	Provenance []difference `json:"provenance"` // what differs: values of the run, then of its repetition
}

type fileCheck struct {
	File      string `json:"file"`
	Identical bool   `json:"identical"`
	Note      string `json:"note,omitempty"` // where it differs
}

// errDiffers makes the exit code 1 after everything is printed.
var errDiffers = errors.New("the repetition differs")

func rerunCommand() *cobra.Command {
	var w where
	var dir string
	command := &cobra.Command{
		Use:   "rerun RUN",
		Short: "repeat a run in a new folder and say whether every byte is the same",
		Long: `Train again with a run's resolved configuration, seed and data (whose hash must be the recorded one), and compare what
came out, file by file: metrics, telemetry, pseudo-labels, predictions and weights. run.json, timing.jsonl, opened.jsonl
and tensorboard/ hold the time and are not compared. The exit code is 0 where all is identical and 1 otherwise; then what
differs between the two in code, versions, backend and host is listed.`,
		Example: `  mmiln rerun runs/mmiln-planted-s1111-20261124-231500
  mmiln rerun runs/mmiln-planted-s1111-20261124-231500 --backend go --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			r, err := rerun(command, &w, args[0], dir)
			if err != nil {
				return err
			}
			if w.json {
				err = printJSON(command.OutOrStdout(), r)
			} else {
				err = printRepetition(command.OutOrStdout(), r)
			}
			if err == nil && !r.Identical {
				return fmt.Errorf("%w: %s is not %s byte by byte", errDiffers, r.Repeated, r.Run)
			}
			return err
		},
	}
	w.flags(command)
	command.Flags().StringVar(&w.runs, "runs", "", "folder for the new run folder; default: where RUN lies")
	command.Flags().StringVar(&dir, "data", "", "where the data set lies now, if it was moved")
	return command
}

func rerun(command *cobra.Command, w *where, dir, moved string) (repetition, error) {
	reader, err := record.Open(dir)
	if err != nil {
		return repetition{}, err
	}
	m := reader.Manifest()
	if m.Status != record.Finished {
		return repetition{}, fmt.Errorf("%s is %s: there is nothing to compare with; go on with it: mmiln resume %s", dir, m.Status, dir)
	}
	c, err := experiment.ConfigOf(dir)
	if err != nil {
		return repetition{}, err
	}
	c.Data.Dir = cmp.Or(moved, c.Data.Dir)
	if err := checkData(m, c.Data.Dir); err != nil {
		return repetition{}, err
	}
	w.runs = cmp.Or(w.runs, filepath.Dir(filepath.Clean(dir)))
	backend, note, err := w.open(command)
	if err != nil {
		return repetition{}, err
	}
	if m.Backend != note {
		fmt.Fprintf(command.ErrOrStderr(), "%s ran on %s; backends differ in the last bits\n", dir, m.Backend)
	}
	result, err := experiment.Train(command.Context(), c, w.options(command, backend, note))
	if err != nil {
		return repetition{}, w.interruption(result, err)
	}
	return repeated(dir, result.Dir)
}

// checkData reads every byte of the data set.
func checkData(m record.Manifest, dir string) error {
	development, _, err := data.Open(dir)
	if err != nil {
		return fmt.Errorf("%w (where was it moved? --data)", err)
	}
	if found := development.Card().SHA256(); found != m.Data.Card {
		return fmt.Errorf("%s holds other data (%.12s…) than %s was trained on (%.12s…); restore them, or name their folder with --data", dir, found, m.Name, m.Data.Card)
	}
	return data.Verify(dir)
}

// repeated compares two run folders.
func repeated(run, repetitionDir string) (repetition, error) {
	r := repetition{Run: run, Repeated: repetitionDir, Identical: true}
	names, err := outputFiles(run, repetitionDir)
	if err != nil {
		return r, err
	}
	for _, name := range names {
		check := compareFiles(name, filepath.Join(run, name), filepath.Join(repetitionDir, name))
		r.Files, r.Identical = append(r.Files, check), r.Identical && check.Identical
	}
	weights, err := compareWeights(run, repetitionDir)
	if err != nil {
		return r, err
	}
	r.Files, r.Identical = append(r.Files, weights), r.Identical && weights.Identical
	r.Provenance, err = provenance(run, repetitionDir)
	return r, err
}

// outputFiles are those that depend on configuration, seed, data and code alone, in either folder.
func outputFiles(dirs ...string) ([]string, error) {
	found := map[string]bool{}
	for _, dir := range dirs {
		for _, pattern := range []string{"*.jsonl", "*.csv", "predictions/*.csv"} {
			names, err := fs.Glob(os.DirFS(dir), pattern)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				found[name] = true
			}
		}
	}
	delete(found, "timing.jsonl")
	delete(found, "opened.jsonl")
	return slices.Sorted(maps.Keys(found)), nil
}

// compareFiles says where two files differ: these are read whole, which logs and weights can be.
func compareFiles(name, a, b string) fileCheck {
	check := fileCheck{File: name}
	was, err := os.ReadFile(a)
	if err != nil {
		check.Note = "only the repetition has it"
		return check
	}
	is, err := os.ReadFile(b)
	if err != nil {
		check.Note = "the repetition does not have it"
		return check
	}
	if bytes.Equal(was, is) {
		check.Identical = true
		return check
	}
	at := 0
	for at < min(len(was), len(is)) && was[at] == is[at] {
		at++
	}
	check.Note = fmt.Sprintf("differs from line %d of %d", bytes.Count(was[:at], []byte("\n"))+1, bytes.Count(was, []byte("\n")))
	return check
}

// compareWeights compares the tensors of the best epochs rather than their checkpoints, which hold the state of training too.
func compareWeights(a, b string) (fileCheck, error) {
	check := fileCheck{File: "weights of the best epoch"}
	was, err := experiment.Export(a)
	if err != nil {
		return check, err
	}
	is, err := experiment.Export(b)
	if err != nil {
		return check, err
	}
	names := maps.Clone(was.Tensors)
	maps.Copy(names, is.Tensors)
	var differing []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := was.Tensors[name], is.Tensors[name]
		if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(x.Data, y.Data) {
			differing = append(differing, name)
		}
	}
	if check.Identical = len(differing) == 0; !check.Identical {
		check.Note = fmt.Sprintf("%d of %d tensors differ, the first is %s", len(differing), len(names), differing[0])
	}
	return check, nil
}

// provenance lists the facts in which two runs differ: code, versions, backend, host. Time and cost always do, and say nothing.
func provenance(dirs ...string) ([]difference, error) {
	sides := make([]side, len(dirs))
	for i, dir := range dirs {
		reader, err := record.Open(dir)
		if err != nil {
			return nil, err
		}
		m := reader.Manifest()
		setup, err := experiment.Setup(m)
		if err != nil {
			return nil, err
		}
		sides[i].facts = map[string][]string{}
		sides[i].note(setup)
		sides[i].note(origin(m))
		sides[i].note(map[string]string{
			"seed": fmt.Sprint(m.Seed), "(changes)": fmt.Sprintf("%.12s", changes(dir)),
			"(host)": fmt.Sprintf("%s/%s, %d cores, %s", m.Host.OS, m.Host.Arch, m.Host.CPUs, m.Host.CPU),
		})
		for path, version := range m.Modules {
			sides[i].note(map[string]string{"(module) " + path: version})
		}
	}
	return differences(sides), nil
}

func printRepetition(out io.Writer, r repetition) error {
	fmt.Fprintf(out, "\n%s\nrepeated as %s\n\n", r.Run, r.Repeated)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.Files {
		if f.Identical {
			f.Note = "identical"
		}
		fmt.Fprintf(w, "%s\t%s\n", f.File, f.Note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Identical {
		_, err := fmt.Fprintln(out, "\nevery byte is the same")
		return err
	}
	if len(r.Provenance) == 0 {
		_, err := fmt.Fprintln(out, "\ncode, versions, backend and host are recorded as the same")
		return err
	}
	fmt.Fprintln(out, "\nwhat differs in provenance, before and now:")
	for _, d := range r.Provenance {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", d.Key, cmp.Or(d.Values[0], "-"), cmp.Or(d.Values[1], "-"))
	}
	return w.Flush()
}
