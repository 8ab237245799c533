package plots_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/plots"
	"github.com/mmiln/workbench/plots/browser"
)

// save writes a page of charts.
func save(t testing.TB, setup bool, charts ...plots.Chart) string {
	t.Helper()
	var page strings.Builder
	page.WriteString("<!doctype html><meta charset=utf-8><title>charts</title>\n")
	for _, c := range charts {
		page.WriteString(figure(t, c))
	}
	if setup {
		page.WriteString(string(plots.Setup()))
	}
	path := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(path, []byte(page.String()), 0o644))
	return path
}

var figures sync.Map

// figure is a chart's fragment, made once.
func figure(t testing.TB, c plots.Chart) string {
	t.Helper()
	if found, ok := figures.Load(c.Title); ok {
		return found.(string)
	}
	html, err := c.HTML()
	require.NoError(t, err)
	figures.Store(c.Title, string(html))
	return string(html)
}

func assertAllDrawn(t *testing.T, page browser.Page, charts int) {
	t.Helper()
	assert.Empty(t, page.Console, "nothing is logged, so nothing failed and nothing was asked for")
	assert.Len(t, page.Charts(), charts)
	for _, c := range page.Charts() {
		assert.Greater(t, c.Shapes, 8, "%s", c.Title)
		assert.True(t, c.Static, c.Title)
	}
}

func TestABrowserDrawsEveryChart(t *testing.T) {
	charts := every(t)
	for _, dark := range []bool{false, true} {
		page := browser.Open(t, save(t, true, charts...), browser.Window{Width: 1280, Height: 900, Dark: dark})
		assertAllDrawn(t, page, len(charts))
	}
}

func TestHostileStringsDoNothingInABrowser(t *testing.T) {
	page := browser.Open(t, save(t, true, hostileChart()), browser.Window{Width: 1280, Height: 2000})
	assertAllDrawn(t, page, 1)
	assert.Contains(t, page.DOM, "<title>charts</title>", "no string ran to change it")
}

func TestWithoutScriptsThePicturesStand(t *testing.T) {
	page := browser.Open(t, save(t, false, every(t)...), browser.Window{Width: 1280, Height: 900})
	for _, c := range page.Charts() {
		assert.Zero(t, c.Shapes, c.Title)
		assert.True(t, c.Static, c.Title)
	}
}

func TestAPageOfSixtyChartsIsSmallAndOpensAtOnce(t *testing.T) {
	var charts []plots.Chart
	for i := 0; len(charts) < 60; i++ {
		charts = append(charts, every(t)[i%len(every(t))])
	}
	path := save(t, true, charts...)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(8<<20))
	page := browser.Open(t, path, browser.Window{Width: 1280, Height: 900})
	t.Logf("%.1f MB, all drawn after %s, the browser's own start included", float64(info.Size())/1e6, page.Took.Round(10*time.Millisecond))
	assertAllDrawn(t, page, 60)
}
