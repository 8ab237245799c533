package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/plots/playground"
)

func playgroundCommand() *cobra.Command {
	var o playground.Options
	var out string
	command := &cobra.Command{
		Use:   "playground RUN",
		Short: "write a page that carries the trained model itself",
		Long: `Write one HTML file in which the best epoch of a run on planted data runs by itself, compiled to WebAssembly: choose or write
an utterance, withhold a modality, move a gate, read re-fusion and pseudo-labels otherwise. It opens without a network. The Go
toolchain and this repository's source are needed to make it, not to read it.`,
		Example: `  mmiln playground runs/demo-demo-s1111-20261125-002816 --out playground.html`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			size, err := playground.Write(command.Context(), args[0], out, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s: %.1f MB\n", out, float64(size)/1e6)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "playground.html", "page to write")
	flags.StringVar(&o.Data, "data", "", "data set; default: the one that the run was trained on")
	flags.StringVar(&o.Cache, "cache", "", "folder of compiled programs; default: mmiln in the user's cache")
	return command
}
