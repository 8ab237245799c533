package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots/playground"
	"github.com/mmiln/workbench/plots/report"
)

func reportCommand() *cobra.Command {
	var w where
	var out, title string
	var looks int
	var play bool
	command := &cobra.Command{
		Use:   "report RUN... --out report.html",
		Short: "write one HTML file about runs, which opens without a network",
		Long: `Write one HTML file about one or more runs: claims and a verdict, the paper's numbers beside ours, all charts, the data, what
it cost, the configuration and how to do it again. A folder of run folders stands for all of them. Charts of single
examples run the first run's model on validation, where its data are at hand. --playground puts that model itself into the
page, compiled to WebAssembly, which takes the Go toolchain and this repository's source.`,
		Example: `  mmiln report runs/* --out report.html
  mmiln report runs/mmiln-planted-s1111-20261124-231500 --out one.html --examples 2`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			runs, err := openRuns(args)
			if err != nil {
				return err
			}
			page := report.Page{Title: title, Runs: runs, Made: time.Now()}
			if page.Looks, err = w.look(command, runs[0], looks); err != nil {
				page.Note = "No single examples are shown: " + err.Error() + "."
				fmt.Fprintln(command.ErrOrStderr(), page.Note)
			}
			if play {
				part, err := playground.Fragment(command.Context(), runs[0].Dir(), playground.Options{})
				if err != nil {
					return err
				}
				page.Playground = report.Playground{Section: part.HTML, Scripts: part.Scripts, Sources: part.Sources}
			}
			if err := atomicfile.ReplaceFunc(out, page.Write); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "wrote %s; open it in any browser, it needs no network\n", out)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "report.html", "file to write")
	flags.StringVar(&title, "title", "MMILN: report", "heading of the page")
	flags.IntVar(&looks, "examples", 1, "single examples of validation to look into")
	flags.BoolVar(&play, "playground", false, "let readers move the first run's model in the page")
	flags.StringVar(&w.backend, "backend", "auto", "for single examples: auto, go, xla:cpu, xla:cuda, xla:tpu, or the path of an XLA plugin")
	return command
}

// openRuns opens run folders, and all that lie below a folder that is none.
func openRuns(dirs []string) (runs []*record.Reader, err error) {
	for _, dir := range dirs {
		list, broken := record.List(dir)
		if broken != nil {
			return nil, broken
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("%s holds no run; give run folders, such as runs/*", dir)
		}
		for _, found := range list {
			run, err := record.Open(found.Dir)
			if err != nil {
				return nil, err
			}
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// look runs the first examples of validation through a run's model.
func (w *where) look(command *cobra.Command, run *record.Reader, n int) (looks []experiment.Look, err error) {
	if n < 1 {
		return nil, nil
	}
	m := run.Manifest()
	development, _, err := data.Open(m.Data.Dir)
	if err != nil {
		return nil, err
	}
	if development.Card().SHA256() != m.Data.Card {
		return nil, errors.New(filepath.Clean(m.Data.Dir) + " now holds other data")
	}
	backend, _, err := w.open(command)
	if err != nil {
		return nil, err
	}
	p, err := experiment.OpenPredictor(run.Dir(), backend)
	if err != nil {
		return nil, err
	}
	for row := range min(n, development.Valid.Len()) {
		l, err := p.Look(development.Valid, row)
		if err != nil {
			return nil, err
		}
		looks = append(looks, l)
	}
	return looks, nil
}
