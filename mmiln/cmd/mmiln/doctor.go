package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

// finding is one line of the doctor: what was looked at, what was found, and the remedy where something lacks.
type finding struct {
	What   string `json:"what"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "doctor", Short: "say what this machine runs on, and what to do about each lack", Args: cobra.NoArgs,
		Example: `  mmiln doctor`,
		RunE: func(command *cobra.Command, _ []string) error {
			findings := examine()
			if asJSON {
				return printJSON(command.OutOrStdout(), findings)
			}
			printFindings(command.OutOrStdout(), findings)
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func examine() []finding {
	all := []finding{{What: "program", Found: fmt.Sprintf("%s, %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}}
	all = append(all, simd())
	all = append(all, plugins()...)
	_, note, err := device.Open("auto")
	if err != nil {
		note = err.Error()
	}
	all = append(all, finding{What: "--backend auto", Found: note})
	return append(all, repository())
}

func simd() finding {
	if device.SIMD {
		return finding{What: "SIMD", Found: "built in: the pure Go backend uses vector instructions"}
	}
	return finding{"SIMD", "not built in", "build with `make build`, which sets GOEXPERIMENT=simd: the pure Go backend is 15 times faster with it"}
}

func plugins() []finding {
	var all []finding
	for _, p := range device.Plugins() {
		all = append(all, finding{What: "XLA plugin", Found: p.Name + ": " + p.Path})
	}
	if len(all) == 0 {
		all = append(all, finding{"XLA plugin", "none", "`make xla` installs the one for the CPU; environment.md tells of CUDA and TPU"})
	}
	return all
}

func repository() finding {
	if _, err := exec.LookPath("git"); err != nil {
		return finding{"git", "not found", "install git: without it a run does not know which code it ran"}
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return finding{What: "folder", Found: "not the repository; runs and data are looked for here all the same"}
	}
	return finding{What: "folder", Found: "the repository"}
}

func printFindings(out io.Writer, findings []finding) {
	for _, f := range findings {
		mark := "ok"
		if f.Remedy != "" {
			mark = "!!"
		}
		fmt.Fprintf(out, "%s  %-15s %s\n", mark, f.What, f.Found)
		if f.Remedy != "" {
			fmt.Fprintf(out, "    %-15s -> %s\n", "", f.Remedy)
		}
	}
}
