// Command mmiln trains, evaluates and describes: `mmiln --help`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // after the first signal a run saves itself; a second one ends it at once
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mmiln:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode is 130 for an interrupt, as shells have it, and 1 otherwise.
func exitCode(err error) int {
	if errors.Is(err, experiment.ErrInterrupted) {
		return 130
	}
	return 1
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:   "mmiln",
		Short: "Train, evaluate and take apart MMILN, a model for multimodal sentiment",
		Example: `  mmiln data planted --size demo --out .data/demo
  mmiln train demo
  mmiln runs`,
		SilenceErrors: true, SilenceUsage: true,
	}
	command.AddCommand(trainCommand(), resumeCommand(), evalCommand(), predictCommand(), runsCommand(), driftCommand(), exportCommand(),
		dataCommand(), configCommand(), doctorCommand(), reportCommand(), labCommand())
	command.AddCommand(cacheCommand(), compareCommand(), rerunCommand(), casestudyCommand(), playgroundCommand())
	command.AddCommand(experimentCommand())
	return command
}

// printJSON writes v for scripts.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
