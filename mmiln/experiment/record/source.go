package record

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const (
	module  = "github.com/mmiln/workbench"
	unknown = "unknown"
)

// gitPatience bounds how long git may take; a run does not wait for a slow disk.
const gitPatience = 10 * time.Second

// source finds the commit that runs: what the binary was built from; else, as under `go run` and in notebooks, the
// repository of the working folder, if it is this module's. diff is what that repository has changed since the same commit.
func source() (commit string, dirty bool, diff []byte) {
	commit, dirty = builtFrom()
	root, ok := repository()
	if !ok {
		return commit, dirty, nil
	}
	head, err := git(root, "rev-parse", "HEAD")
	at := strings.TrimSpace(string(head))
	if err != nil || commit != unknown && commit != at {
		return commit, dirty, nil
	}
	status, err := git(root, "status", "--porcelain")
	if commit == unknown {
		dirty = err != nil || len(status) > 0
	}
	if dirty {
		diff, _ = git(root, "diff", "--binary", "--no-ext-diff", "--no-color", "HEAD") // without it, dirty still tells
		diff = append(diff, added(root)...)
	}
	return at, dirty, diff
}

// What is taken of files that git does not know: new code, not results that someone left in the tree.
const (
	maxAdded     = 100
	maxAddedSize = 1 << 20 // bytes a file
)

// added is the part of a diff that adds the files which git neither knows nor ignores.
func added(root string) (diff []byte) {
	list, err := git(root, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil
	}
	names := strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
	for _, name := range names[:min(len(names), maxAdded)] {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxAddedSize {
			continue
		}
		part, _ := git(root, "diff", "--no-index", "--binary", "--no-ext-diff", "--no-color", "--", os.DevNull, name) // exit code 1: they differ
		diff = append(diff, part...)
	}
	return diff
}

// builtFrom reads what `go build` stamped into the binary.
func builtFrom() (commit string, dirty bool) {
	commit = unknown
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path != module {
		return commit, false
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value
		case "vcs.modified":
			dirty = setting.Value == "true"
		}
	}
	return commit, dirty
}

var declaresModule = regexp.MustCompile(`(?m)^module\s+` + regexp.QuoteMeta(module) + `\s*$`)

// repository finds the root of the working folder's repository, if it holds this module.
func repository() (root string, ok bool) {
	top, err := git(".", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", false
	}
	root = strings.TrimSpace(string(top))
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	return root, err == nil && declaresModule.Match(text)
}

func git(dir string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitPatience)
	defer cancel()
	return exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
}

// build tells toolchain, modules and machine.
func build() (toolchain string, modules map[string]string, host Host) {
	if info, ok := debug.ReadBuildInfo(); ok {
		modules = versions(info.Deps)
	}
	name, _ := os.Hostname() // a run may do without
	return runtime.Version(), modules, Host{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Memory: memory(), Name: name, CPU: Processor(),
	}
}

func versions(deps []*debug.Module) map[string]string {
	if len(deps) == 0 { // as in test binaries
		return nil
	}
	modules := make(map[string]string, len(deps))
	for _, dep := range deps {
		modules[dep.Path] = dep.Version
		if dep.Replace != nil {
			modules[dep.Path] += " => " + dep.Replace.Path + " " + dep.Replace.Version
		}
	}
	return modules
}
