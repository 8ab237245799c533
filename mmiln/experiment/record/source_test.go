package record

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workIn makes a repository of this module with one commit, and works there.
func workIn(t *testing.T, gomod string) (commit string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("go.mod", []byte(gomod), 0o644))
	require.NoError(t, os.WriteFile("layers", []byte("3\n"), 0o644))
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "."},
		{"-c", "user.name=n", "-c", "user.email=e@example", "commit", "-q", "-m", "m"},
	} {
		_, err := git(".", args...)
		require.NoError(t, err, args)
	}
	head, err := git(".", "rev-parse", "HEAD")
	require.NoError(t, err)
	return string(head[:len(head)-1])
}

func TestACleanRepositoryGivesItsCommit(t *testing.T) {
	want := workIn(t, "module "+module+"\n\ngo 1.26\n")
	commit, dirty, diff := source()
	assert.Equal(t, want, commit)
	assert.False(t, dirty)
	assert.Empty(t, diff)
}

func TestAChangedRepositoryIsKeptAsAPatchThatApplies(t *testing.T) {
	want := workIn(t, "module "+module+"\n")
	require.NoError(t, os.WriteFile("layers", []byte("4\n"), 0o644))
	require.NoError(t, os.Mkdir("sub", 0o755))
	t.Chdir("sub")
	r, err := Create(t.TempDir(), Manifest{})
	require.NoError(t, err)
	defer r.Close()
	assert.Equal(t, want, r.Manifest().Commit)
	assert.True(t, r.Manifest().Dirty)
	_, err = git("..", "checkout", "-q", "layers")
	require.NoError(t, err)
	_, err = git("..", "apply", filepath.Join(r.Dir(), diffFile))
	require.NoError(t, err)
	text, err := os.ReadFile("../layers")
	require.NoError(t, err)
	assert.Equal(t, "4\n", string(text))
}

func TestAnotherModulesRepositoryIsNotTakenForThisOne(t *testing.T) {
	workIn(t, "module "+module+"/v2\n")
	commit, dirty, diff := source()
	assert.Equal(t, unknown, commit)
	assert.False(t, dirty)
	assert.Empty(t, diff)
}

func TestWithoutARepositoryTheCommitIsUnknown(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", "")
	commit, _, _ := source()
	assert.Equal(t, unknown, commit)
}

func TestReplacedModulesSayByWhat(t *testing.T) {
	got := versions([]*debug.Module{
		{Path: "a", Version: "v1.0.0"},
		{Path: "b", Version: "v1.0.0", Replace: &debug.Module{Path: "../b", Version: "v0.0.0"}},
	})
	assert.Equal(t, map[string]string{"a": "v1.0.0", "b": "v1.0.0 => ../b v0.0.0"}, got)
}

func TestTheDiffHasFilesThatGitDoesNotKnow(t *testing.T) {
	workIn(t, "module "+module+"\n\ngo 1.26\n")
	require.NoError(t, os.WriteFile(".gitignore", []byte("ignored\n"), 0o644))
	require.NoError(t, os.WriteFile("ignored", []byte("x\n"), 0o644))
	require.NoError(t, os.MkdirAll("a folder", 0o755))
	require.NoError(t, os.WriteFile("a folder/new.go", []byte("package new\n"), 0o644))
	require.NoError(t, os.WriteFile("large", make([]byte, maxAddedSize+1), 0o644))
	require.NoError(t, os.WriteFile("layers", []byte("4\n"), 0o644))
	_, dirty, diff := source()
	assert.True(t, dirty)

	// The diff makes the tree out of the commit.
	patch := filepath.Join(t.TempDir(), "run.patch")
	require.NoError(t, os.WriteFile(patch, diff, 0o644))
	for _, args := range [][]string{{"checkout", "-q", "layers"}, {"clean", "-q", "-f", "-d"}, {"apply", patch}} {
		_, err := git(".", args...)
		require.NoError(t, err, args)
	}
	for name, want := range map[string]string{"layers": "4\n", "a folder/new.go": "package new\n", ".gitignore": "ignored\n"} {
		found, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, want, string(found))
	}
	assert.NoFileExists(t, "large")
}
