package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

func runsCommand() *cobra.Command {
	var root string
	var asJSON, grouped bool
	var f filter
	command := &cobra.Command{
		Use:   "runs [RUN]",
		Short: "list, filter, sort and group runs, or show one",
		Long: `List runs, oldest first, or show one's manifest. A run that repeats an earlier one (settings, seed, data and code are the
same) is marked. Groups are the seeds of one configuration; their names are what mmiln compare takes.`,
		Example: `  mmiln runs
  mmiln runs --status finished --where mmiln.layers=2 --since 7d --sort mae
  mmiln runs --group --data planted
  mmiln runs runs/mmiln-planted-s1111-20261124-231500`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			out := command.OutOrStdout()
			if len(args) == 1 {
				reader, err := record.Open(args[0])
				if err != nil {
					return err
				}
				return printJSON(out, reader.Manifest())
			}
			all, err := listRuns(command, root)
			if err != nil {
				return err
			}
			list, err := f.apply(all)
			if err != nil {
				return err
			}
			if grouped {
				return showGroups(out, list, asJSON)
			}
			return showRuns(out, all, list, asJSON)
		},
	}
	f.flags(command)
	command.Flags().StringVar(&root, "runs", "runs", "folder of run folders")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&grouped, "group", false, "seeds of one configuration together: mean ± standard deviation")
	return command
}

// listRuns finds all runs, and says on stderr which cannot be read.
func listRuns(command *cobra.Command, root string) ([]record.Summary, error) {
	if _, err := os.Stat(root); os.IsNotExist(err) {
		return nil, fmt.Errorf("no runs yet: there is no folder %s; train something, such as: mmiln train demo", root)
	}
	list, broken := record.List(root)
	if broken != nil {
		fmt.Fprintln(command.ErrOrStderr(), broken)
	}
	return list, nil
}

func showGroups(out io.Writer, list []record.Summary, asJSON bool) error {
	groups, err := groupRuns(list)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, append([]*group{}, groups...)) // [] where there is none
	}
	return printGroups(out, groups)
}

// listed is a run as a list shows it.
type listed struct {
	record.Summary
	DuplicateOf string `json:"duplicate_of,omitempty"`
}

// showRuns shows some of all runs.
func showRuns(out io.Writer, all, list []record.Summary, asJSON bool) error {
	repeats, err := duplicates(all)
	if err != nil {
		return err
	}
	shown := []listed{} // [] where there is none
	for _, run := range list {
		shown = append(shown, listed{run, repeats[run.Dir]})
	}
	if asJSON {
		return printJSON(out, shown)
	}
	return printRuns(out, shown)
}

func printRuns(out io.Writer, list []listed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "run\tstatus\tepoch\tvalid MAE\ttest MAE\ttest Corr\t")
	for _, run := range list {
		fmt.Fprintf(w, "%s\t%s\t", table.Inert(filepath.Base(run.Dir)), run.Manifest.Status)
		result, err := experiment.ResultOf(run.Manifest)
		if err != nil {
			fmt.Fprintln(w, "\t\t\t\t")
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", result.BestEpoch, format(result.Valid, "mae"), format(result.Test, "mae"),
			format(result.Test, "corr"), run.note())
	}
	return w.Flush()
}

// note says what a run repeats. Code that is not known may have been other code.
func (r listed) note() string {
	switch {
	case r.DuplicateOf == "":
		return ""
	case r.Manifest.Commit == "unknown":
		return "repeats " + filepath.Base(r.DuplicateOf) + ", if the code was the same"
	}
	return "repeats " + filepath.Base(r.DuplicateOf)
}

func exportCommand() *cobra.Command {
	var out string
	command := &cobra.Command{
		Use:   "export RUN --out FILE.safetensors",
		Short: "write a run's best weights as safetensors, its configuration beside them",
		Example: `  mmiln export runs/mmiln-planted-s1111-20261124-231500 --out mmiln.safetensors
  # writes mmiln.safetensors and mmiln.toml`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			file, err := experiment.Export(args[0])
			if err != nil {
				return err
			}
			stem, ok := strings.CutSuffix(out, ".safetensors")
			if !ok {
				return fmt.Errorf("--out is %q; name a file that ends in .safetensors", out)
			}
			config := stem + ".toml"
			if err := atomicfile.Replace(config, []byte(file.Metadata["config"])); err != nil {
				return err
			}
			if err := atomicfile.ReplaceFunc(out, func(w io.Writer) error { return safetensors.Write(w, file) }); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "wrote %d tensors to %s, the configuration to %s\n", len(file.Tensors), out, config)
			return nil
		},
	}
	command.Flags().StringVar(&out, "out", "", "file to write")
	_ = command.MarkFlagRequired("out") // the flag exists
	return command
}
