package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// labFolder is a repository with the given programs alone on PATH, scripts that print their arguments.
func labFolder(t *testing.T, programs map[string]string) (root string) {
	t.Helper()
	root, bin := t.TempDir(), t.TempDir()
	t.Chdir(root)
	t.Setenv("PATH", bin)
	require.NoError(t, os.WriteFile("go.mod", []byte("module github.com/mmiln/workbench\n\nrequire (\n\tgithub.com/janpfeifer/gonb v0.11.5\n)\n"), 0o644))
	for name, script := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	return root
}

// built pretends to compile: it makes the file after -o.
const built = `while [ "$1" != -o ]; do shift; done; echo "$PWD $GOWORK $GOFLAGS" > "$2"`

func TestLabPreparesAKernelOfTheVersionInGoMod(t *testing.T) {
	root := labFolder(t, map[string]string{"go": built})
	require.NoError(t, os.Mkdir("notebooks", 0o755))
	t.Chdir("notebooks")
	assert.Equal(t, "JUPYTER_PATH="+filepath.Join(root, ".lab/share/jupyter")+"\n", succeed(t, "lab", "--prepare"))
	text, err := os.ReadFile(filepath.Join(root, ".lab/share/jupyter/kernels/gonb/kernel.json"))
	require.NoError(t, err)
	var spec struct {
		Argv      []string
		Env       map[string]string
		Interrupt string `json:"interrupt_mode"`
	}
	require.NoError(t, json.Unmarshal(text, &spec))
	assert.Equal(t, []string{filepath.Join(root, ".lab/bin/gonb-v0.11.5"), "--kernel", "{connection_file}", "-go_work=" + root}, spec.Argv)
	assert.Equal(t, "off", spec.Env["GOPROXY"])
	assert.Equal(t, "message", spec.Interrupt)
	module, err := os.ReadFile(filepath.Join(root, ".lab/gonb/go.mod"))
	require.NoError(t, err)
	assert.Contains(t, string(module), "require github.com/janpfeifer/gonb v0.11.5")
}

func TestLabPutsGoimportsOnThePathOfTheKernel(t *testing.T) {
	root := labFolder(t, map[string]string{"go": built})
	succeed(t, "lab", "--prepare")
	assert.FileExists(t, filepath.Join(root, ".lab/bin/goimports"))
	spec, err := os.ReadFile(filepath.Join(root, ".lab/share/jupyter/kernels/gonb/kernel.json"))
	require.NoError(t, err)
	assert.Contains(t, string(spec), `"PATH": "`+filepath.Join(root, ".lab/bin")+`:${PATH}"`)
}

func TestLabBuildsTheKernelOnce(t *testing.T) {
	root := labFolder(t, map[string]string{"go": built})
	succeed(t, "lab", "--prepare")
	require.NoError(t, os.WriteFile(filepath.Join(root, ".lab/bin/gonb-v0.11.5"), []byte("kept"), 0o755))
	succeed(t, "lab", "--prepare")
	kernel, err := os.ReadFile(filepath.Join(root, ".lab/bin/gonb-v0.11.5"))
	require.NoError(t, err)
	assert.Equal(t, "kept", string(kernel))
}

func TestLabStartsOnThisMachineAloneWithTheKernelFoundFirst(t *testing.T) {
	root := labFolder(t, map[string]string{"go": built, "jupyter": `echo "$@ JUPYTER_PATH=$JUPYTER_PATH"`})
	t.Setenv("JUPYTER_PATH", "/elsewhere")
	require.NoError(t, os.Mkdir("notebooks", 0o755))
	require.NoError(t, os.WriteFile("notebooks/00.ipynb", nil, 0o644))
	_, stderr, err := run(t, "lab", "--no-browser", "--port", "9999")
	require.NoError(t, err)
	assert.Contains(t, stderr, "Ctrl-C here stops it")
	assert.Contains(t, stderr, "lab --ServerApp.ip=127.0.0.1 --ServerApp.port=9999 --ServerApp.root_dir="+root+" ")
	assert.Contains(t, stderr, "--LabApp.news_url=None", "and nobody is asked for news")
	assert.Contains(t, stderr, " --no-browser JUPYTER_PATH="+
		filepath.Join(root, ".lab/share/jupyter")+":/elsewhere")
	assert.NotContains(t, stderr, "token", "the server's own token stands")
}

func TestLabSaysHowToInstallWhatIsMissing(t *testing.T) {
	labFolder(t, map[string]string{"go": built})
	_, _, err := run(t, "lab")
	assert.ErrorContains(t, err, "install it with: mmiln lab --install")
	_, _, err = run(t, "lab", "--install")
	assert.ErrorContains(t, err, "there is no Python 3 on PATH")
}

func TestLabSaysWhyTheKernelCannotBeBuilt(t *testing.T) {
	labFolder(t, map[string]string{"go": "echo no such module >&2; exit 1"})
	_, _, err := run(t, "lab", "--prepare")
	assert.ErrorContains(t, err, "no such module")
	assert.ErrorContains(t, err, "module proxy")
	labFolder(t, nil)
	_, _, err = run(t, "lab", "--prepare")
	assert.ErrorContains(t, err, "no go on PATH")
}

func TestLabIsForTheRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	_, _, err := run(t, "lab")
	assert.ErrorContains(t, err, "is not within the repository")
}

func TestLabInstallsThePinnedVersion(t *testing.T) {
	root := labFolder(t, map[string]string{"go": built, "python3": `mkdir -p "$3/bin"; printf '#!/bin/sh\necho "$@" >> '"$3"'/log\n' > "$3/bin/python"; cp "$3/bin/python" "$3/bin/jupyter"; chmod +x "$3"/bin/*`})
	t.Setenv("PATH", os.Getenv("PATH")+":/bin:/usr/bin")
	succeed(t, "lab", "--install", "--prepare")
	log, err := os.ReadFile(filepath.Join(root, ".lab/venv/log"))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(log), "-m pip install --quiet jupyterlab==4.6.6\n"), string(log))
}
