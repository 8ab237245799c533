package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/simdpath"
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
	backend, note, err := device.Open("auto")
	if err != nil {
		return append(all, finding{What: "--backend auto", Found: err.Error()}, repository())
	}
	return append(all, finding{What: "--backend auto", Found: note}, compiled(backend), repository())
}

// compiled compiles a small program and says whether it, and so every other, is kept.
func compiled(backend compute.Backend) finding {
	f := finding{What: "compiled once"}
	exec, err := graph.NewExec(backend, graph.OnePlus)
	if err == nil {
		_, err = exec.Call(float32(1))
	}
	counts := compilecache.Counted()
	switch {
	case err != nil:
		f.Found, f.Remedy = err.Error(), "this backend does not run; name another by --backend or GOMLX_BACKEND"
	case counts.Problem != "":
		f.Found, f.Remedy = counts.Problem, "without it every process compiles anew; mmiln cache --help says where programs are kept"
	case counts.Compiled+counts.Loaded == 0:
		f.Found = "nothing is kept: pure Go does not compile, and " + compilecache.Variable + "=off turns it off"
	default:
		f.Found = "programs are kept; mmiln cache shows them"
	}
	return f
}

func simd() finding {
	if device.SIMD {
		return finding{What: "SIMD", Found: "built in; vector instructions of products in pure Go: " + simdpath.Choice}
	}
	return finding{"SIMD", "not built in", "build with `make build`, which sets GOEXPERIMENT=simd: products in pure Go are faster with it on processors with AVX-512"}
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
