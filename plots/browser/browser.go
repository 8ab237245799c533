// Package browser shows pages to tests as a reader would see them: in headless Chromium, from a file, with the network off.
package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Window is how a page is opened.
type Window struct {
	Width, Height int
	Dark          bool
}

// Page is what came of a page once its scripts had run.
type Page struct {
	DOM     string
	Console []string // everything that was logged: errors, and what the page's policy forbade
	Took    time.Duration
}

// patience bounds one start of the browser.
const patience = 90 * time.Second

// Open opens a page and returns its document. It skips the test where there is no Chromium.
func Open(t testing.TB, path string, w Window) Page {
	t.Helper()
	began := time.Now()
	stdout, stderr := run(t, path, w, "--dump-dom")
	return Page{DOM: stdout, Console: console(stderr), Took: time.Since(began)}
}

// Screenshot writes a picture of a page.
func Screenshot(t testing.TB, path, png string, w Window) {
	t.Helper()
	run(t, path, w, "--screenshot="+png)
}

func run(t testing.TB, path string, w Window, how string) (stdout, stderr string) {
	t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := []string{
		"--hide-scrollbars", "--disable-extensions", "--virtual-time-budget=10000", fmt.Sprintf("--window-size=%d,%d", w.Width, w.Height), how,
	}
	if w.Dark {
		args = append(args, "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
	}
	command := Command(ctx, t, append(args, "file://"+filepath.ToSlash(absolute))...)
	var out, messages bytes.Buffer
	command.Stdout, command.Stderr = &out, &messages
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", command.Path, err, messages.String())
	}
	return out.String(), messages.String()
}

// Command is headless Chromium with the network out of reach, messages on standard error, and a profile that is removed after the
// test. It skips the test where there is no Chromium.
func Command(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	program := find(t)
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, profile) })
	command := exec.CommandContext(ctx, program, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--user-data-dir=" + profile,
	}, args...)...)
	command.WaitDelay = time.Second
	return command
}

// remove waits for what a killed browser's children still write.
func remove(t testing.TB, dir string) {
	var err error
	for range 100 {
		if err = os.RemoveAll(dir); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error(err)
}

// find looks for Chromium on PATH; $MMILN_CHROMIUM names another.
func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("MMILN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("no Chromium on PATH, so no page can be looked at")
	return ""
}

var logged = regexp.MustCompile(`:CONSOLE[:(]\d+\)?\]\s*(.*)`)

func console(stderr string) (messages []string) {
	for line := range strings.Lines(stderr) {
		if found := logged.FindStringSubmatch(line); found != nil {
			messages = append(messages, found[1])
		}
	}
	return messages
}
