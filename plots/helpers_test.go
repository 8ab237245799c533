package plots_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots"
)

var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "plots"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// pureGo is the backend of all tests.
var pureGo = sync.OnceValues(func() (compute.Backend, error) {
	backend, _, err := device.Open("go")
	return backend, err
})

// trainedDir trains a model that takes a moment, once for all tests.
var trainedDir = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "planted")
	_, err := planted.Config{
		Seed: 1, Train: 24, Valid: 8, Test: 8, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}.Save(dir)
	if err != nil {
		return "", err
	}
	backend, err := pureGo()
	if err != nil {
		return "", err
	}
	result, err := experiment.Train(context.Background(), tiny(dir), experiment.Options{Backend: backend, Note: "pure Go", Runs: filepath.Join(scratch, "runs")})
	return result.Dir, err
})

func tiny(dir string) experiment.Config {
	c := experiment.Default()
	c.Name, c.Data.Dir = "tiny", dir
	c.Train.Batch, c.Train.UpdateEvery, c.Train.MaxEpochs = 6, 1, 3
	m := &c.MMILN
	m.Width, m.Heads, m.FFN, m.Layers, m.AudioHidden, m.VisionHidden = 8, 2, 8, 2, 3, 3
	m.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 6}, Audio: mmiln.HeadConfig{Width: 4}, Vision: mmiln.HeadConfig{Width: 4},
	}
	return c
}

// trained opens the run.
func trained(t testing.TB) *record.Reader {
	t.Helper()
	dir, err := trainedDir()
	require.NoError(t, err)
	run, err := record.Open(dir)
	require.NoError(t, err)
	return run
}

// option decodes what a chart gives to ECharts, from the page.
func option(t testing.TB, c plots.Chart) map[string]any {
	t.Helper()
	html, err := c.HTML()
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(html), `<script type="application/json">`)
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, "</script>")
	require.True(t, ok)
	var decoded map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &decoded), text)
	return decoded
}

// elements counts the elements of an SVG by name; what is not XML fails.
func elements(t testing.TB, svg []byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for decoder := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok {
			counts[start.Name.Local]++
		}
	}
}
