package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/pool"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/study"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

func experimentCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "experiment",
		Short: "run models × variants × data sets × seeds from one file, and compare them",
		Example: `  mmiln experiment list
  mmiln experiment run figure4-planted
  mmiln experiment resume runs/figure4-planted`,
		Args: cobra.NoArgs, // else an unknown subcommand would print the help and succeed
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(experimentRun(), experimentResume(), experimentStatus(), experimentTable(), experimentCompare(), experimentList())
	return command
}

func experimentRun() *cobra.Command {
	var out, backend string
	var jobs int
	var seeds []uint
	command := &cobra.Command{
		Use:   "run EXPERIMENT",
		Short: "run an experiment: a TOML file, or the name of one that is shipped",
		Long: `Run an experiment: a TOML file, or the name of one that is shipped (mmiln experiment list). Searches see training and
validation data only; the test split is opened once for each finished run, on record. Ctrl-C saves everything; killed
anywhere, mmiln experiment resume repeats nothing that finished and loses nothing.`,
		Example: `  mmiln experiment run figure4-planted
  mmiln experiment run my.toml --out runs/mine --jobs 4 --seeds 1,2,3`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			var list []uint64
			for _, seed := range seeds {
				list = append(list, uint64(seed))
			}
			p, source, err := plan.Load(args[0], list...)
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join("runs", p.Name)
			}
			s, err := study.Create(filepath.Clean(out), p, source, backend, os.Args)
			if err != nil {
				return err
			}
			return work(command, s, jobs)
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "", "folder to write (default runs/NAME)")
	flags.UintSliceVar(&seeds, "seeds", nil, "seeds to use, instead of the file's")
	flags.StringVar(&backend, "backend", "auto", "auto, go, xla:cpu, xla:cuda, xla:tpu, or the path of an XLA plugin")
	jobsFlag(command, &jobs)
	return command
}

func jobsFlag(command *cobra.Command, jobs *int) {
	command.Flags().IntVar(jobs, "jobs", 0, "processes at once (default: as many as cores and free memory allow)")
}

func experimentResume() *cobra.Command {
	var jobs int
	command := &cobra.Command{
		Use:     "resume DIR",
		Short:   "go on with an experiment: finished runs stay, interrupted and failed ones go on, the rest begins",
		Example: `  mmiln experiment resume runs/figure4-planted`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			s, err := study.Open(filepath.Clean(args[0]))
			if err != nil {
				return err
			}
			return work(command, s, jobs)
		},
	}
	jobsFlag(command, &jobs)
	return command
}

// work does what is left of an experiment and shows how it ended.
func work(command *cobra.Command, s *study.Study, jobs int) error {
	if jobs < 0 {
		return fmt.Errorf("--jobs is %d; use at least 1", jobs)
	}
	if jobs == 0 {
		jobs = pool.Default()
	}
	program, err := study.Program()
	if err != nil {
		return err
	}
	progress := newProgress(command.ErrOrStderr(), s, jobs)
	failed, err := s.Work(command.Context(), study.Options{Pool: pool.Local{N: jobs}, Program: program, Watch: progress.watch})
	progress.end()
	printFailures(command.ErrOrStderr(), failed)
	if err != nil {
		return fmt.Errorf("%w; everything is saved, go on with: mmiln experiment resume %s", err, s.Dir())
	}
	status, err := s.Status()
	if err != nil {
		return err
	}
	printStatus(command.OutOrStdout(), status)
	if len(failed) > 0 {
		return fmt.Errorf("%d processes failed; when the cause is gone: mmiln experiment resume %s", len(failed), s.Dir())
	}
	fmt.Fprintf(command.OutOrStdout(), "\nnext: mmiln experiment table %s\n", s.Dir())
	return nil
}

// printFailures shows each process that failed with the last line and the place of its log.
func printFailures(out io.Writer, failed []pool.Outcome) {
	for _, o := range failed {
		fmt.Fprintf(out, "failed: %s: %s\n        %s\n        log: %s\n", o.Job.Name, o.Err, o.Last, o.Job.Log)
	}
}

func experimentStatus() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:     "status DIR",
		Short:   "show how far an experiment is",
		Example: `  mmiln experiment status runs/figure4-planted`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			s, err := study.Open(filepath.Clean(args[0]))
			if err != nil {
				return err
			}
			status, err := s.Status()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), status)
			}
			printStatus(command.OutOrStdout(), status)
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// printStatus shows one line a row, then what searches chose, each run that failed, and what was left out.
func printStatus(out io.Writer, status study.Status) {
	fmt.Fprintf(out, "%s\n", status.Title)
	if status.Worker != "" {
		fmt.Fprintf(out, "process %s works on it\n", status.Worker)
	}
	fmt.Fprintln(out)
	printRows(out, status.Rows)
	for _, row := range status.Rows {
		if row.Search != "" {
			fmt.Fprintf(out, "%s: %s\n", row.Row, row.Search)
		}
		for _, run := range row.Runs {
			if run.Status == record.Failed {
				fmt.Fprintf(out, "failed: %s, seed %d: %s (%s)\n", row.Row, run.Seed, run.Error, run.Dir)
			}
		}
	}
	for _, left := range status.LeftOut {
		fmt.Fprintf(out, "left out: %s: %s\n", left.Name, left.Reason)
	}
}

// printRows leaves out the columns in which rows do not differ.
func printRows(out io.Writer, rows []study.RowStatus) {
	sets := slices.ContainsFunc(rows, func(r study.RowStatus) bool { return r.Data != rows[0].Data })
	searched := slices.ContainsFunc(rows, func(r study.RowStatus) bool { return r.Trials > 0 })
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(row, data, trials, seeds, valid, test string) {
		fields := []string{row, data, trials, seeds, valid, test}
		if !searched {
			fields = slices.Delete(fields, 2, 3)
		}
		if !sets {
			fields = slices.Delete(fields, 1, 2)
		}
		fmt.Fprintln(w, strings.Join(fields, "\t"))
	}
	line("row", "data", "trials", "seeds", "valid MAE", "test MAE")
	for _, row := range rows {
		trials := ""
		if row.Trials > 0 {
			trials = fmt.Sprintf("%d/%d", row.Tried, row.Trials)
		}
		valid, test := meanScores(row)
		line(row.Row, row.Data, trials, seedsLine(row), valid, test)
	}
	_ = w.Flush()
}

// seedsLine counts a row's runs: "3 finished", "1 finished, 1 running (epoch 3), 1 waiting".
func seedsLine(row study.RowStatus) string {
	var parts []string
	for _, status := range []record.Status{record.Finished, record.Running, record.Interrupted, record.Failed, study.Waiting} {
		n, epoch := 0, 0
		for _, run := range row.Runs {
			if run.Status == status {
				n, epoch = n+1, max(epoch, run.Epoch)
			}
		}
		switch {
		case n == 0:
		case status == record.Running:
			parts = append(parts, fmt.Sprintf("%d %s (epoch %d)", n, status, epoch+1))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return strings.Join(parts, ", ")
}

func experimentTable() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "table DIR",
		Short: "show an experiment's results with their statistics, beside the paper's",
		Example: `  mmiln experiment table runs/figure4-planted
  mmiln experiment table runs/table3 --format latex > table3.tex`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return showTable(command, args[0], format, nil)
		},
	}
	formatFlag(command, &format)
	return command
}

func formatFlag(command *cobra.Command, format *string) {
	command.Flags().StringVar(format, "format", "terminal", "terminal, markdown, latex, csv or json")
}

func experimentCompare() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:     "compare DIR A B",
		Short:   "compare row B with row A",
		Example: `  mmiln experiment compare runs/figure4-planted "3-layers" "1-layer"`,
		Args:    cobra.ExactArgs(3),
		RunE: func(command *cobra.Command, args []string) error {
			return showTable(command, args[0], format, args[1:])
		},
	}
	formatFlag(command, &format)
	return command
}

// showTable shows some rows compared with the first of them, or all, where none is named, with the reference.
func showTable(command *cobra.Command, dir, format string, only []string) error {
	s, err := study.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	p := s.Plan()
	groups, err := s.Groups()
	if err != nil {
		return err
	}
	if only, err = rowNames(p, only); err != nil {
		return err
	}
	if groups = slices.DeleteFunc(groups, func(g table.Group) bool { return len(only) > 0 && !slices.Contains(only, g.Name) }); len(groups) == 0 {
		return errors.New("no run has finished yet; mmiln experiment status " + dir + " shows how far they are")
	}
	reference := p.Reference
	if len(only) > 0 {
		reference = only[0]
	}
	t, err := table.Compute(groups, table.Options{Title: p.Title, Metrics: p.Metrics, Reference: reference, Seed: 1})
	if err != nil {
		return err
	}
	return t.Write(command.OutOrStdout(), format)
}

// rowNames finds rows by name or by the name of their files.
func rowNames(p plan.Plan, given []string) (names []string, err error) {
	for _, name := range given {
		i := slices.IndexFunc(p.Rows, func(r plan.Row) bool { return r.Name == name || strings.ReplaceAll(r.Name, " ", "-") == name })
		if i < 0 {
			var all []string
			for _, row := range p.Rows {
				all = append(all, fmt.Sprintf("%q", row.Name))
			}
			return nil, fmt.Errorf("no row is called %q; there are %s", name, strings.Join(all, ", "))
		}
		names = append(names, p.Rows[i].Name)
	}
	return names, nil
}

func experimentList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [EXPERIMENT]",
		Short: "list the shipped experiments: what each reproduces, costs and should give; or print the file of one",
		Example: `  mmiln experiment list
  mmiln experiment list figure4 > my.toml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				_, text, err := plan.Source(args[0])
				if err != nil {
					return err
				}
				_, err = command.OutOrStdout().Write(text)
				return err
			}
			for _, name := range plan.Shipped() {
				p, _, err := plan.Load(name)
				if err != nil {
					return err
				}
				describe(command.OutOrStdout(), name, p)
			}
			return nil
		},
	}
}

func describe(out io.Writer, name string, p *plan.Plan) {
	fmt.Fprintf(out, "%s\n  %s\n  reproduces  %s\n  runs        %d rows of %d seeds\n  cost        %s\n  expect      %s\n",
		name, p.Title, p.Reproduces, len(p.Rows), len(p.Seeds), p.Cost, p.Expect)
	for _, left := range p.LeftOut {
		fmt.Fprintf(out, "  left out    %s: %s\n", left.Name, left.Reason)
	}
}
