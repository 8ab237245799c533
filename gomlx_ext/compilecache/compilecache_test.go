package compilecache_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

const gigabyte = 1e9

func key(name string) compilecache.Key { return compilecache.NewKey([]byte(name)) }

func file(dir string, key compilecache.Key) string {
	return filepath.Join(dir, hex.EncodeToString(key[:])+".program")
}

func open(t *testing.T, dir string, limit int64) *compilecache.Cache {
	t.Helper()
	cache, err := compilecache.Open(dir, limit)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close()) })
	return cache
}

// store keeps programs that name themselves.
func store(t *testing.T, cache *compilecache.Cache, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, cache.Store(key(name), []byte(name)))
	}
}

func requireAbsent(t *testing.T, cache *compilecache.Cache, name string) {
	t.Helper()
	_, err := cache.Load(key(name))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func requirePresent(t *testing.T, cache *compilecache.Cache, name string) {
	t.Helper()
	program, err := cache.Load(key(name))
	require.NoError(t, err)
	require.Equal(t, name, string(program))
}

func TestAProgramComesBackInAnotherProcessAndNoOtherDoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "it")
	store(t, open(t, dir, gigabyte), "a", "b", "")
	again := open(t, dir, gigabyte)
	requirePresent(t, again, "a")
	requirePresent(t, again, "b")
	requirePresent(t, again, "")
	requireAbsent(t, again, "c")
}

func TestFolderAndEntriesAreTheUsersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	store(t, open(t, dir, gigabyte), "a")
	for path, want := range map[string]fs.FileMode{dir: 0o700, file(dir, key("a")): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}
}

func TestAFolderThatOthersMayWriteToIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, mode := range []fs.FileMode{0o720, 0o702, 0o777} {
		require.NoError(t, os.Chmod(dir, mode))
		_, err := compilecache.Open(dir, gigabyte)
		require.ErrorContains(t, err, dir+": other users may write to it; chmod go-w it")
	}
}

func TestAnEntryThatOthersMayWriteToIsNotLoaded(t *testing.T) {
	dir := t.TempDir()
	cache := open(t, dir, gigabyte)
	store(t, cache, "a")
	require.NoError(t, os.Chmod(file(dir, key("a")), 0o620))
	_, err := cache.Load(key("a"))
	require.ErrorContains(t, err, "other users may write to it")
}

func TestAnotherUsersEntriesAndFoldersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	dir := t.TempDir()
	cache := open(t, dir, gigabyte)
	store(t, cache, "a")
	require.NoError(t, os.Chown(file(dir, key("a")), 12345, -1))
	_, err := cache.Load(key("a"))
	require.ErrorContains(t, err, "it belongs to another user")
	require.NoError(t, os.Chown(dir, 12345, -1))
	_, err = compilecache.Open(dir, gigabyte)
	require.ErrorContains(t, err, "it belongs to another user")
}

// Whatever stands in an entry's place, the program is loaded if it is the one that was stored, or not at all.
func TestNoDamageIsEverLoaded(t *testing.T) {
	dir := t.TempDir()
	cache := open(t, dir, gigabyte)
	path := file(dir, key("a"))
	require.NoError(t, cache.Store(key("a"), []byte("some machine code")))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	refused := func(entry []byte, what string, i int) {
		require.NoError(t, os.WriteFile(path, entry, 0o600))
		_, err := cache.Load(key("a"))
		require.ErrorContains(t, err, "the entry is damaged, or another program's", "%s %d", what, i)
	}
	for i := range whole {
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << bit
			refused(flipped, "flipped byte", i)
		}
		refused(whole[:i], "cut at", i)
		refused(append(bytes.Clone(whole), make([]byte, i+1)...), "longer by", i+1)
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	program, err := cache.Load(key("a"))
	require.NoError(t, err)
	require.Equal(t, "some machine code", string(program))
}

func TestEntriesThatWereExchangedAreNotLoaded(t *testing.T) {
	dir := t.TempDir()
	cache := open(t, dir, gigabyte)
	store(t, cache, "a", "b")
	aside := filepath.Join(dir, "aside")
	require.NoError(t, os.Rename(file(dir, key("a")), aside))
	require.NoError(t, os.Rename(file(dir, key("b")), file(dir, key("a"))))
	require.NoError(t, os.Rename(aside, file(dir, key("b"))))
	for _, name := range []string{"a", "b"} {
		_, err := cache.Load(key(name))
		require.ErrorContains(t, err, "damaged, or another program's")
	}
	store(t, cache, "a")
	requirePresent(t, cache, "a")
}

func TestALinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	store(t, open(t, elsewhere, gigabyte), "a")
	cache := open(t, dir, gigabyte)
	require.NoError(t, os.Symlink(file(elsewhere, key("a")), file(dir, key("a"))))
	_, err := cache.Load(key("a"))
	require.Error(t, err)
}

func TestKeysDependOnEveryPartAndOnWhereItEnds(t *testing.T) {
	seen := map[compilecache.Key]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}, {"b", "a"}, {"1\na"}} {
		all := make([][]byte, len(parts))
		for i, part := range parts {
			all[i] = []byte(part)
		}
		k := compilecache.NewKey(all...)
		require.NotContains(t, seen, k)
		seen[k] = fmt.Sprint(parts)
	}
}

func TestTheLeastRecentlyUsedGoFirst(t *testing.T) {
	dir := t.TempDir()
	probe := open(t, t.TempDir(), gigabyte)
	store(t, probe, "a")
	entries, err := probe.Entries()
	require.NoError(t, err)
	cache := open(t, dir, 3*entries[0].Size)
	store(t, cache, "a", "b", "c")
	for i, name := range []string{"a", "b", "c"} {
		then := time.Now().Add(time.Duration(i-10) * time.Minute)
		require.NoError(t, os.Chtimes(file(dir, key(name)), then, then))
	}
	requirePresent(t, cache, "a") // so b is now the oldest
	store(t, cache, "d")
	requireAbsent(t, cache, "b")
	for _, name := range []string{"a", "c", "d"} {
		requirePresent(t, cache, name)
	}
}

func TestAProgramBeyondTheLimitIsNotKeptAndTakesNobodysPlace(t *testing.T) {
	cache := open(t, t.TempDir(), 300)
	store(t, cache, "a")
	require.ErrorContains(t, cache.Store(key("big"), make([]byte, 300)), "does not fit into a cache of 300")
	requirePresent(t, cache, "a")
}

func TestWhatKilledWritersLeftGoesAfterAWhileAndOthersFilesStay(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	for name, at := range map[string]time.Time{"x.program.partial-OLD": old, "x.program.partial-NEW": time.Now(), "notes.txt": old} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	cache := open(t, dir, gigabyte)
	store(t, cache, "a")
	require.NoFileExists(t, filepath.Join(dir, "x.program.partial-OLD"))
	require.FileExists(t, filepath.Join(dir, "x.program.partial-NEW"))
	require.NoError(t, cache.Clear())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, "notes.txt", left[0].Name())
}

func TestWritersAndReadersOfOneKeyMeetNothingHalfDone(t *testing.T) {
	dir := t.TempDir()
	program := bytes.Repeat([]byte("code"), 50_000)
	var group sync.WaitGroup
	for range 4 {
		cache := open(t, dir, gigabyte)
		group.Go(func() {
			for range 20 {
				assert.NoError(t, cache.Store(key("one"), program))
				got, err := cache.Load(key("one"))
				assert.NoError(t, err)
				assert.True(t, bytes.Equal(program, got))
			}
		})
	}
	group.Wait()
}

func TestTheEnvironmentNamesFolderAndLimit(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(compilecache.Variable, dir)
	t.Setenv(compilecache.LimitVariable, "0.5")
	cache, err := compilecache.Default()
	require.NoError(t, err)
	defer cache.Close()
	require.Equal(t, dir, cache.Dir())
	require.Equal(t, int64(500_000_000), cache.Limit())

	for _, wrong := range []string{"much", "-1", "0", "NaN", "1e300"} {
		t.Setenv(compilecache.LimitVariable, wrong)
		_, err = compilecache.Default()
		require.ErrorContains(t, err, fmt.Sprintf("MMILN_CACHE_GB is %q", wrong))
	}
	t.Setenv(compilecache.Variable, "off")
	cache, err = compilecache.Default()
	require.NoError(t, err)
	require.Nil(t, cache)
}

func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	cache, err := compilecache.Open(dir, gigabyte)
	require.NoError(f, err)
	require.NoError(f, cache.Store(key("a"), []byte("program")))
	whole, err := os.ReadFile(file(dir, key("a")))
	require.NoError(f, err)
	f.Add(whole)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, entry []byte) {
		require.NoError(t, os.WriteFile(file(dir, key("a")), entry, 0o600))
		program, err := cache.Load(key("a"))
		require.Equal(t, bytes.Equal(entry, whole), err == nil)
		if err == nil {
			require.Equal(t, "program", string(program))
		}
	})
}

func ExampleCache() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cache, err := compilecache.Open(dir, 1e6)
	if err != nil {
		fmt.Println(err)
		return
	}
	key := compilecache.NewKey([]byte("the program's text"), compilecache.Machine())
	if _, err = cache.Load(key); err != nil {
		err = cache.Store(key, []byte("what a compiler made of it"))
	}
	program, _ := cache.Load(key)
	fmt.Println(string(program), err)
	// Output: what a compiler made of it <nil>
}
