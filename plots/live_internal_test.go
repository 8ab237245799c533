package plots

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// page is a notebook's cell that remembers what was shown.
type page struct {
	ids       int
	live      map[string]string
	updates   map[string]int
	displayed []string
	synced    bool
}

func newPage() *page { return &page{live: map[string]string{}, updates: map[string]int{}} }

func (p *page) id() string { p.ids++; return fmt.Sprint("id-", p.ids) }
func (p *page) update(id, html string) {
	p.live[id] = html
	p.updates[id]++
}
func (p *page) display(html string) { p.displayed = append(p.displayed, html) }
func (p *page) sync()               { p.synced = true }

// training is three epochs of a reporter on a page.
func training(t *testing.T) (*Reporter, *page) {
	t.Helper()
	p := newPage()
	r := &Reporter{Live: newLive("demo", "epoch", p)}
	r.Begin("runs/x", 3, 4)
	for epoch := 1; epoch <= 3; epoch++ {
		for batch := 1; batch <= 4; batch++ {
			r.Batch(epoch, batch, 4, 1/float64(epoch))
		}
		r.Epoch(experiment.EpochReport{Epoch: epoch, TrainLoss: 1 / float64(epoch), ValidLoss: 2, Valid: metric.Scores{MAE: 0.5, Corr: math.NaN()}})
	}
	return r, p
}

func TestChartsGrowInPlaceWhileTraining(t *testing.T) {
	r, p := training(t)
	assert.Equal(t, 3, p.updates[r.view])
	assert.Empty(t, p.displayed)
	assert.Equal(t, 2, strings.Count(p.live[r.view], "<figure"), "one for losses, one for scores")
	assert.Contains(t, p.live[r.bar], `<progress max="4" value="4">`)
	assert.Contains(t, p.live[r.view], `[3,0.33333]`)
}

func TestTrainingLeavesFinishedChartsBehind(t *testing.T) {
	r, p := training(t)
	require.NoError(t, r.Done())
	assert.Empty(t, p.live[r.view])
	assert.Empty(t, p.live[r.bar])
	require.Len(t, p.displayed, 2)
	for _, html := range p.displayed {
		assert.Contains(t, html, `src="data:image/svg&#43;xml;base64,`, "a saved notebook shows it without scripts")
	}
	assert.True(t, p.synced)
}

func TestAPathInTheBarIsText(t *testing.T) {
	p := newPage()
	r := &Reporter{Live: newLive("demo", "epoch", p)}
	r.Begin("runs/<img src=x onerror=alert(1)>", 1, 1)
	assert.NotContains(t, p.live[r.bar], "<img")
}

func TestALiveChartSaysThatAValueWasLeftOut(t *testing.T) {
	p := newPage()
	l := newLive("demo", "step", p)
	l.AddPoint(Point{MetricName: "a", MetricType: "loss", Step: 1, Value: 1})
	l.DynamicSampleDone(true)
	assert.Contains(t, p.live[l.view], "left out")
}
