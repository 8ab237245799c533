package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// jupyterLab is the version that notebooks are tried with.
const jupyterLab = "jupyterlab==4.6.6"

func labCommand() *cobra.Command {
	var install, prepare, stay bool
	var port int
	command := &cobra.Command{
		Use:   "lab [-- ARGUMENT...]",
		Short: "start JupyterLab with a Go kernel on this repository",
		Long: `Start JupyterLab on this repository, with a kernel that runs Go and finds this module and nothing of the network. What that
takes is prepared once, in .lab of the repository: the GoNB kernel, built from the version in go.mod. JupyterLab itself
is looked for in .lab/venv and then on PATH; --install puts it into .lab/venv, which needs Python 3 and pip.

The server listens on this machine alone and asks for the token that it prints. Ctrl-C stops it. What follows -- goes to
jupyter lab as it is, such as --allow-root within a container.`,
		Example: `  mmiln lab --install   # once
  mmiln lab`,
		RunE: func(command *cobra.Command, args []string) error {
			root, err := moduleRoot()
			if err != nil {
				return err
			}
			l := &lab{root: root, out: command.ErrOrStderr(), ctx: command.Context()}
			if install {
				if err := l.install(); err != nil {
					return err
				}
			}
			jupyter, err := l.jupyter()
			if err != nil && !prepare {
				return err
			}
			if err := l.prepare(); err != nil {
				return err
			}
			if prepare {
				fmt.Fprintf(command.OutOrStdout(), "JUPYTER_PATH=%s\n", l.kernels())
				return nil
			}
			l.trust(jupyter)
			if stay {
				args = append(args, "--no-browser")
			}
			return l.start(jupyter, port, args)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&install, "install", false, "first install "+jupyterLab+" into .lab/venv")
	flags.BoolVar(&prepare, "prepare", false, "prepare the kernel, print the JUPYTER_PATH that finds it, and start nothing")
	flags.BoolVar(&stay, "no-browser", false, "do not open a browser")
	flags.IntVar(&port, "port", 8888, "port to listen on; the next free one where it is taken")
	return command
}

// lab is what notebooks need, in .lab of the repository.
type lab struct {
	root string
	out  io.Writer
	ctx  context.Context
}

func (l *lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.root, ".lab"}, parts...)...)
}

// kernels is where Jupyter finds the kernel, as JUPYTER_PATH has it.
func (l *lab) kernels() string { return l.path("share", "jupyter") }

var isModule = regexp.MustCompile(`(?m)^module\s+github\.com/mmiln/workbench\s*$`)

// moduleRoot finds the repository above the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && isModule.Match(text) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not within the repository, whose notebooks the lab is for; change to it first", dir)
		}
	}
}

// install makes a Python environment with JupyterLab.
func (l *lab) install() error {
	python, err := lookPath("python3", "python")
	if err != nil {
		return errors.New("there is no Python 3 on PATH, which JupyterLab needs; install it first")
	}
	fmt.Fprintf(l.out, "installing %s into %s\n", jupyterLab, l.path("venv"))
	if err := l.run("", nil, python, "-m", "venv", l.path("venv")); err != nil {
		return fmt.Errorf("%w (on Debian: apt-get install python3-venv)", err)
	}
	return l.run("", nil, l.venv("python"), "-m", "pip", "install", "--quiet", jupyterLab)
}

// venv is a program of the Python environment.
func (l *lab) venv(name string) string {
	if runtime.GOOS == "windows" {
		return l.path("venv", "Scripts", name+".exe")
	}
	return l.path("venv", "bin", name)
}

// jupyter finds the program that starts JupyterLab.
func (l *lab) jupyter() (string, error) {
	for _, name := range []string{l.venv("jupyter"), "jupyter"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(l.ctx, path, "lab", "--version").Run() == nil {
			return path, nil
		}
	}
	return "", errors.New("JupyterLab is neither in .lab/venv nor on PATH; install it with: mmiln lab --install")
}

// tools is the version of goimports, without which the kernel runs no cell: it drops imports that a cell does not use.
const tools = "v0.52.0"

// prepare builds the kernel and goimports, unless they are there, and describes the kernel to Jupyter.
func (l *lab) prepare() error {
	version, err := l.kernelVersion()
	if err != nil {
		return err
	}
	kernel, err := l.program("gonb-"+version, "gonb", "github.com/janpfeifer/gonb", version, "")
	if err != nil {
		return err
	}
	if _, err := l.program("goimports", "goimports", "golang.org/x/tools", tools, "/cmd/goimports"); err != nil {
		return err
	}
	return l.describe(kernel)
}

// program is a program in .lab/bin, built there where it is not.
func (l *lab) program(file, name, module, version, pkg string) (path string, err error) {
	path = l.path("bin", file)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, l.build(path, name, module, version, pkg)
}

var requiresKernel = regexp.MustCompile(`(?m)^\s*(?:require\s+)?github\.com/janpfeifer/gonb\s+(v[0-9A-Za-z.+-]+)`)

// kernelVersion reads the version of GoNB from go.mod.
func (l *lab) kernelVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(l.root, "go.mod"))
	if err != nil {
		return "", err
	}
	found := requiresKernel.FindSubmatch(text)
	if found == nil {
		return "", errors.New("go.mod does not require github.com/janpfeifer/gonb, the kernel; restore go.mod")
	}
	return string(found[1]), nil
}

// build compiles a program in a module of its own: go.mod has only what the library part of the kernel needs.
func (l *lab) build(path, name, module, version, pkg string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("there is no go on PATH, which the kernel compiles cells with; install Go from go.dev")
	}
	dir := l.path(name)
	for _, needed := range []string{dir, filepath.Dir(path)} {
		if err := os.MkdirAll(needed, 0o755); err != nil {
			return err
		}
	}
	fmt.Fprintf(l.out, "building %s %s for the kernel, once\n", name, version)
	own := fmt.Sprintf("module kernel\n\ngo 1.26\n\nrequire %s %s\n", module, version)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(own), 0o644); err != nil {
		return err
	}
	if sums, err := os.ReadFile(filepath.Join(l.root, "go.sum")); err == nil { // what the repository pins holds here too
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644); err != nil {
			return err
		}
	}
	partial := path + ".partial"
	env := []string{"GOWORK=off", "GOFLAGS=-mod=mod", "GOEXPERIMENT="}
	if err := l.run(dir, env, "go", "build", "-o", partial, module+pkg); err != nil {
		return fmt.Errorf("the kernel cannot be built: %s: %w (the first time, Go must reach its module proxy)", name, err)
	}
	return os.Rename(partial, path)
}

// describe writes kernel.json. The name gonb, which notebooks ask for, is found here before a kernel of that name elsewhere.
func (l *lab) describe(kernel string) error {
	spec := map[string]any{
		"argv":           []string{kernel, "--kernel", "{connection_file}", "-go_work=" + l.root},
		"display_name":   "Go (GoNB), MMILN",
		"language":       "go",
		"interrupt_mode": "message",
		"env": map[string]string{
			"GOFLAGS": "-ldflags=-s -ldflags=-w", "GOPROXY": "off", "GOEXPERIMENT": "simd", "MMILN_ROOT": l.root,
			"PATH": l.path("bin") + string(os.PathListSeparator) + "${PATH}",
		},
	}
	dir := filepath.Join(l.kernels(), "kernels", "gonb")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return atomicfile.ReplaceFunc(filepath.Join(dir, "kernel.json"), func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(spec)
	})
}

// trust signs the committed notebooks, so that Jupyter lets their charts run. Where that fails they are shown all the same.
func (l *lab) trust(jupyter string) {
	notebooks, _ := filepath.Glob(filepath.Join(l.root, "notebooks", "*.ipynb")) // the pattern is valid
	if len(notebooks) == 0 {
		return
	}
	output, err := exec.CommandContext(l.ctx, jupyter, append([]string{"trust"}, notebooks...)...).CombinedOutput()
	if err != nil {
		fmt.Fprintf(l.out, "the notebooks could not be trusted, so that charts are still until their cells have run: %v\n%s", err, output)
	}
}

// start runs JupyterLab until it is stopped.
func (l *lab) start(jupyter string, port int, more []string) error {
	args := append([]string{
		"lab", "--ServerApp.ip=127.0.0.1", fmt.Sprintf("--ServerApp.port=%d", port), "--ServerApp.root_dir=" + l.root,
		"--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", // ask nobody for news
	}, more...)
	fmt.Fprintln(l.out, "starting JupyterLab; Ctrl-C here stops it")
	command := exec.CommandContext(l.ctx, jupyter, args...)
	command.Dir, command.Stdout, command.Stderr = l.root, l.out, l.out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	searched := l.kernels()
	if already := os.Getenv("JUPYTER_PATH"); already != "" {
		searched += string(os.PathListSeparator) + already
	}
	command.Env = append(os.Environ(), "JUPYTER_PATH="+searched)
	err := command.Run()
	if l.ctx.Err() != nil {
		fmt.Fprintln(l.out, "JupyterLab has stopped; notebooks are as they were last saved")
		return nil
	}
	if err != nil {
		return fmt.Errorf("JupyterLab ended: %w; what it said stands above (as root: mmiln lab -- --allow-root)", err)
	}
	return nil
}

// run runs a program, with more environment, and shows what it prints only where it fails.
func (l *lab) run(dir string, env []string, name string, args ...string) error {
	command := exec.CommandContext(l.ctx, name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, strings.TrimSpace(string(output)))
	}
	return nil
}

func lookPath(names ...string) (path string, err error) {
	for _, name := range names {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}
