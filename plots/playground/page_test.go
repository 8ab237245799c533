package playground_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/browser"
	"github.com/mmiln/workbench/plots/playground"
	"github.com/mmiln/workbench/plots/playground/exhibit"
	"github.com/mmiln/workbench/plots/playground/panel"
)

// answer is what the program says.
type answer[T any] struct {
	Value T      `json:"value"`
	Error string `json:"error"`
}

// requests are controls that move everything there is.
func requests(b *exhibit.Bundle) []exhibit.Controls {
	changes := []func(*exhibit.Controls){
		func(*exhibit.Controls) {},
		func(c *exhibit.Controls) { c.Words = "the plot was not very good" },
		func(c *exhibit.Controls) { c.Example, c.Audio, c.Vision = 1, "negative", "positive" },
		func(c *exhibit.Controls) { c.Drop = []string{"text"} },
		func(c *exhibit.Controls) { c.Drop = []string{"audio", "vision"} },
		func(c *exhibit.Controls) {
			c.Gates = map[string]float64{"layers.0.gate.audio.g_r": 1, "layers.1.sag.vision.g_s": 0}
		},
		func(c *exhibit.Controls) {
			c.How, c.Gates = exhibit.Scale, map[string]float64{"layers.1.sag.audio.g_c": 0.9}
		},
		func(c *exhibit.Controls) { c.Orders, c.Span, c.Orthogonality = 2, 1, "raw" },
		func(c *exhibit.Controls) { c.Epochs, c.Distance, c.Guard = 20, "printed", 0.1 },
	}
	var all []exhibit.Controls
	for _, change := range changes {
		c := b.Neutral()
		change(&c)
		all = append(all, c)
	}
	return all
}

func TestThePagesProgramSaysWhatThisProgramSays(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH, so WebAssembly cannot run here")
	}
	b := collect(t)
	p := part(t, b)
	glue := write(t, "wasm_exec.js", []byte(p.Scripts[0]))
	wasm, bundle := write(t, "program.wasm", block(t, p, "program")), write(t, "bundle", block(t, p, "bundle"))
	var questions bytes.Buffer
	for _, c := range requests(b) {
		for _, what := range []string{"see", "compare"} {
			require.NoError(t, json.NewEncoder(&questions).Encode(map[string]any{"what": what, "controls": c}))
		}
	}
	command := exec.CommandContext(t.Context(), node, "testdata/answer.js", glue, wasm, bundle)
	command.Stdin, command.Stderr = &questions, os.Stderr
	out, err := command.Output()
	require.NoError(t, err)

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 1+2*len(requests(b)))
	assert.Equal(t, b.Neutral(), decode[exhibit.Controls](t, lines[0]))
	e := open(t, b)
	for i, c := range requests(b) {
		v, err := e.See(c)
		require.NoError(t, err)
		seen := decode[panel.Answer](t, lines[1+2*i])
		for task, want := range v.Predictions {
			assert.InDelta(t, want, seen.Predictions[task], 1e-5, "%s of %+v", task, c)
		}
		assert.Equal(t, panel.Seen(v, c).Regions["labels"], seen.Regions["labels"])
		r, err := e.Compare(c)
		require.NoError(t, err)
		assert.Equal(t, panel.Compared(r).Regions, decode[panel.Answer](t, lines[2+2*i]).Regions)
	}
}

func decode[T any](t *testing.T, line string) T {
	t.Helper()
	var a answer[T]
	require.NoError(t, json.Unmarshal([]byte(line), &a), line)
	require.Empty(t, a.Error)
	return a.Value
}

// block is the content of one of a part's data blocks.
func block(t *testing.T, p playground.Part, name string) []byte {
	t.Helper()
	found := regexp.MustCompile(`data-part="` + name + `">([^<]*)<`).FindStringSubmatch(string(p.HTML))
	require.NotNil(t, found)
	packed, err := base64.StdEncoding.DecodeString(found[1])
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	return content
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o644))
	return path
}

// told is what testdata/reader.js tells of a page.
type told struct {
	Ready      float64
	Changed    map[string]bool // by control: did what it concerns change?
	Still      map[string]bool // by region: does the program show what the page showed before?
	Times      []float64       // of updates, in ms
	Reset      bool            // does everything look as at first after a reset?
	Inert      bool            // did markup in words stay text?
	Requested  []string
	Violations []string
	Errors     []string
	Status     string
}

func TestAReaderCanMoveEverythingInThePage(t *testing.T) {
	p := part(t, collect(t))
	reader, err := os.ReadFile("testdata/reader.js")
	require.NoError(t, err)
	p.Scripts = append(p.Scripts, string(reader))
	page, err := p.Page("test")
	require.NoError(t, err)
	got := read(t, write(t, "page.html", page))
	assert.Empty(t, got.Errors)
	assert.Empty(t, got.Violations)
	assert.Empty(t, got.Requested, "the page asks the network for nothing")
	assert.True(t, got.Inert)
	assert.True(t, got.Reset)
	assert.Len(t, got.Changed, 18)
	for control, changed := range got.Changed {
		assert.True(t, changed, "moving %s changed nothing", control)
	}
	for region, same := range got.Still {
		assert.True(t, same, "%s was something else before the program ran", region)
	}
	t.Logf("ready after %.0f ms, updates %.0f ms", got.Ready, got.Times)
}

// read opens a page in headless Chromium, with the network out of reach, until it has told.
func read(t *testing.T, path string) (got told) {
	t.Helper()
	command := browser.Command(t.Context(), t, "--remote-debugging-port=0", "file://"+path)
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	timer := time.AfterFunc(2*time.Minute, func() { _ = command.Process.Kill() })
	defer func() {
		timer.Stop()
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	}()
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if _, text, ok := strings.Cut(lines.Text(), `"TOLD `); ok {
			text = text[:strings.LastIndex(text, `", source: `)]
			require.NoError(t, json.Unmarshal([]byte(text), &got), text)
			return got
		}
	}
	t.Fatal("the page told nothing within two minutes")
	return got
}

// status waits until the page has given up on its program.
const status = `(function look() {
	const text = document.querySelector("[data-part=status]").textContent;
	if (!text.includes("rest.")) return setTimeout(look, 20);
	const told = { status: text, inert: document.querySelector("[data-part=all]").disabled };
	console.log("TOLD " + JSON.stringify(told));
})()`

func TestWhereThereIsNoWebAssemblyThePageSaysSoAndItsControlsRest(t *testing.T) {
	p := part(t, collect(t))
	p.Scripts = append([]string{"delete globalThis.WebAssembly"}, append(p.Scripts, status)...)
	page, err := p.Page("test")
	require.NoError(t, err)
	got := read(t, write(t, "page.html", page))
	assert.Contains(t, got.Status, "This browser does not run WebAssembly")
	assert.True(t, got.Inert)
}

func TestWhereAPolicyForbidsWebAssemblyThePageSaysSoAndItsControlsRest(t *testing.T) {
	p := part(t, collect(t))
	p.Scripts, p.Sources = append(p.Scripts, status), nil
	page, err := p.Page("test")
	require.NoError(t, err)
	got := read(t, write(t, "page.html", page))
	assert.Contains(t, got.Status, "The model could not start")
	assert.True(t, got.Inert)
}

func TestThePageShowsItsFirstExampleWithoutItsProgram(t *testing.T) {
	b := collect(t)
	v, err := open(t, b).See(b.Neutral())
	require.NoError(t, err)
	page, err := part(t, b).Page("test")
	require.NoError(t, err)
	for _, region := range panel.Seen(v, b.Neutral()).Regions {
		assert.Contains(t, string(page), string(region))
	}
	assert.Contains(t, string(page), fmt.Sprintf("%.2f", v.Predictions[mmiln.Multimodal])[1:])
}

func TestAPageIsSmallerThanEightMegabytes(t *testing.T) {
	page, err := part(t, collect(t)).Page("test")
	require.NoError(t, err)
	assert.Less(t, len(page), 8_000_000)
}

func TestThePolicyNamesEveryScriptAndStyleAndNothingElse(t *testing.T) {
	page, err := part(t, collect(t)).Page("test")
	require.NoError(t, err)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindSubmatch(page)
	require.NotNil(t, policy)
	text := strings.ReplaceAll(string(policy[1]), "&#39;", "'")
	assert.Regexp(t, `^default-src 'none'; script-src 'wasm-unsafe-eval'( 'sha256-[^']*'){2}; style-src( 'sha256-[^']*'){2}; base-uri 'none'; form-action 'none'$`,
		strings.ReplaceAll(text, "&#43;", "+"))
	assert.NotRegexp(t, `(?i)\s(style|on[a-z]+)="`, string(page))
	assert.NotRegexp(t, `(?i)\b(src|href)=`, strings.Join(regexp.MustCompile(`<[^>]*>`).FindAllString(string(page), -1), ""))
}

func TestHostileTextIsInert(t *testing.T) {
	const hostile = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	b := collect(t)
	b.Run, b.Infos[0].Words = hostile, hostile
	page, err := part(t, b).Page(hostile)
	require.NoError(t, err)
	assert.NotContains(t, string(page), "<script>alert")
	assert.NotContains(t, string(page), "<img")
	assert.Contains(t, string(page), "&lt;img")
}
