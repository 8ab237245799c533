package plots

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func drawnPoints(t *rapid.T) []point {
	n := rapid.IntRange(0, 2000).Draw(t, "n")
	points := make([]point, n)
	for i := range points {
		points[i] = point{float64(i), rapid.Float64Range(-1e3, 1e3).Draw(t, "y")}
	}
	return points
}

func TestThinningKeepsEndsAndOrderAndInventsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points, limit := drawnPoints(t), rapid.IntRange(3, 300).Draw(t, "limit")
		kept := thin(points, limit)
		if len(kept) > limit {
			t.Fatalf("%d kept of %d, limit %d", len(kept), len(points), limit)
		}
		if len(points) == 0 {
			return
		}
		if kept[0] != points[0] || kept[len(kept)-1] != points[len(points)-1] {
			t.Fatal("an end is missing")
		}
		for i, p := range kept {
			if !slices.Contains(points, p) || i > 0 && kept[i-1].x >= p.x {
				t.Fatalf("point %d is %v", i, p)
			}
		}
	})
}

func TestThinningKeepsASpike(t *testing.T) {
	points := make([]point, 10_000)
	for i := range points {
		points[i] = point{float64(i), math.Sin(float64(i) / 500)}
	}
	points[4321].y = 40
	assert.Contains(t, thin(points, 100), points[4321])
}

func TestALineWithGapsIsThinnedToo(t *testing.T) {
	points := make([]point, 3000)
	points[1].y = math.NaN()
	assert.Len(t, thin(points, maxPoints), maxPoints)
}
