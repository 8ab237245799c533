package playground

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// program is the model's code as a page carries it.
type program struct {
	wasm []byte // gzipped
	glue string // wasm_exec.js of the same toolchain
}

// SourceVariable names the environment variable that says where this repository's source is.
const SourceVariable = "MMILN_SOURCE"

const modulePath = "github.com/mmiln/workbench"

// compile builds the page's program, or takes it from the cache where the same source was built by the same toolchain before.
func compile(ctx context.Context, cache string) (program, error) {
	root, err := sourceRoot()
	if err != nil {
		return program{}, err
	}
	version, goroot, err := toolchain(ctx, root)
	if err != nil {
		return program{}, err
	}
	glue, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return program{}, fmt.Errorf("the Go toolchain in %s lacks what programs in pages need; install Go from its distribution, which has lib/wasm/wasm_exec.js: %w", goroot, err)
	}
	key, err := sourceHash(root, version)
	if err != nil {
		return program{}, err
	}
	path := filepath.Join(cache, "playground-"+key+".wasm.gz")
	if wasm, err := os.ReadFile(path); err == nil {
		return program{wasm, string(glue)}, nil
	}
	wasm, err := build(ctx, root)
	if err != nil {
		return program{}, err
	}
	return program{wasm, string(glue)}, keep(path, wasm)
}

// sourceRoot finds this repository: where the environment says, or above the working folder or the executable.
func sourceRoot() (string, error) {
	if dir := os.Getenv(SourceVariable); dir != "" {
		if !isRoot(dir) {
			return "", fmt.Errorf("%s is %s, which does not hold the source of %s", SourceVariable, dir, modulePath)
		}
		return dir, nil
	}
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if file, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(file))
	}
	for _, dir := range starts {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if isRoot(dir) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("the model in the page is compiled from this repository's source, which is not at or above %s: work in the repository, or set %s to its folder",
		strings.Join(starts, " or "), SourceVariable)
}

var moduleLine = regexp.MustCompile(`(?m)^module ` + regexp.QuoteMeta(modulePath) + `\s*$`)

func isRoot(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && moduleLine.Match(text)
}

// toolchain asks go for its version and its place.
func toolchain(ctx context.Context, root string) (version, goroot string, err error) {
	out, err := goCommand(ctx, root, "env", "GOVERSION", "GOROOT")
	if err != nil {
		return "", "", err
	}
	version, goroot, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	return version, strings.TrimSpace(goroot), nil
}

// goCommand runs go for the page's platform.
func goCommand(ctx context.Context, root string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=", "CGO_ENABLED=0", "GOWORK=off")
	var messages bytes.Buffer
	command.Stderr = &messages
	out, err := command.Output()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the model in the page is compiled by the Go toolchain, which is not there: install Go (go.mod says which version), put it on PATH and try again")
	case err != nil:
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(messages.Bytes()))
	}
	return out, nil
}

// build returns the gzipped program.
func build(ctx context.Context, root string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mmiln-playground-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "playground.wasm")
	if _, err := goCommand(ctx, root, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./plots/playground/wasm"); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return squeeze(content)
}

func squeeze(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(content)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// sources are the folders that the program is built from.
var sources = []string{"go.mod", "go.sum", "data", "gomlx_ext", "mmiln", "plots/playground"}

// sourceHash names a state of the source and a toolchain.
func sourceHash(root, version string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, version)
	for _, source := range sources {
		err := filepath.WalkDir(filepath.Join(root, source), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return skipped(root, path, err)
			}
			extension := filepath.Ext(path)
			if strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".mod", ".sum"}, extension) {
				return nil
			}
			return add(hash, path)
		})
		if err != nil {
			return "", fmt.Errorf("the source of the page's program: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:12]), nil
}

// skipped leaves out the folders that the program is not built from.
func skipped(root, path string, err error) error {
	for _, other := range []string{"mmiln/experiment", "mmiln/cmd", "mmiln/baseline", "mmiln/bench"} {
		if path == filepath.Join(root, filepath.FromSlash(other)) {
			return filepath.SkipDir
		}
	}
	return err
}

func add(hash io.Writer, path string) error {
	content, err := os.ReadFile(path)
	if err == nil {
		_, err = fmt.Fprintf(hash, "%s %d\n%s", filepath.Base(path), len(content), content)
	}
	return err
}

// keep writes a file of the cache in one step.
func keep(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("the cache of the page's program: %w", err)
	}
	return atomicfile.Replace(path, content)
}
