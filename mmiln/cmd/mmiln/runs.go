package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func runsCommand() *cobra.Command {
	var root string
	var asJSON, grouped bool
	command := &cobra.Command{
		Use:   "runs [RUN]",
		Short: "list all runs, or show one",
		Example: `  mmiln runs
  mmiln runs --group
  mmiln runs runs/mmiln-planted-s1111-20261124-231500`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				reader, err := record.Open(args[0])
				if err != nil {
					return err
				}
				return printJSON(command.OutOrStdout(), reader.Manifest())
			}
			if _, err := os.Stat(root); os.IsNotExist(err) {
				return fmt.Errorf("no runs yet: there is no folder %s; train something, such as: mmiln train demo", root)
			}
			list, broken := record.List(root)
			if broken != nil {
				fmt.Fprintln(command.ErrOrStderr(), broken)
			}
			if grouped {
				return showGroups(command.OutOrStdout(), list, asJSON)
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), append([]record.Summary{}, list...)) // [] where there is none
			}
			return printRuns(command.OutOrStdout(), list)
		},
	}
	command.Flags().StringVar(&root, "runs", "runs", "folder of run folders")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&grouped, "group", false, "seeds of one configuration together: mean ± standard deviation")
	return command
}

func showGroups(out io.Writer, list []record.Summary, asJSON bool) error {
	groups, err := groupRuns(list)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, groups)
	}
	return printGroups(out, groups)
}

func printRuns(out io.Writer, list []record.Summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "run\tstatus\tepoch\tvalid MAE\ttest MAE\ttest Corr")
	for _, run := range list {
		name := filepath.Base(run.Dir)
		var result experiment.Result
		if len(run.Manifest.Result) == 0 || json.Unmarshal(run.Manifest.Result, &result) != nil {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\n", name, run.Manifest.Status)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", name, run.Manifest.Status, result.BestEpoch,
			format(result.Valid, "mae"), format(result.Test, "mae"), format(result.Test, "corr"))
	}
	return w.Flush()
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
			if err := writeNew(config, func(w io.Writer) error { _, err := io.WriteString(w, file.Metadata["config"]); return err }); err != nil {
				return err
			}
			if err := writeNew(out, func(w io.Writer) error { return safetensors.Write(w, file) }); err != nil {
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

// writeNew writes a file beside its place first, so that an error leaves what was there.
func writeNew(path string, write func(io.Writer) error) error {
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-*")
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	if err := errors.Join(partial.Chmod(0o644), write(partial)); err != nil {
		return err
	}
	if err := partial.Sync(); err != nil {
		return err
	}
	if err := partial.Close(); err != nil {
		return err
	}
	return os.Rename(partial.Name(), path)
}
