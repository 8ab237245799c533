package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/plots/playground"
)

func TestPlaygroundWritesAPageThatCarriesTheModel(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	t.Setenv(playground.SourceVariable, root)
	workplace(t, 2)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	out := succeed(t, "playground", runFolder(t), "--out", "page.html", "--cache", "cache")
	assert.Regexp(t, `^page.html: \d\.\d MB\n$`, out)
	page, err := os.ReadFile("page.html")
	require.NoError(t, err)
	assert.Contains(t, string(page), "wasm-unsafe-eval")
	assert.Contains(t, string(page), filepath.Base(runFolder(t)))
}

func TestPlaygroundOfAFolderThatIsNoRunSaysSo(t *testing.T) {
	workplace(t, 1)
	_, _, err := run(t, "playground", "set", "--out", "page.html")
	require.Error(t, err)
	assert.NoFileExists(t, "page.html")
}
