package record

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// python is an interpreter that has tensorboard: that of MMILN_PYTHON, or python3.
func python(t *testing.T) string {
	t.Helper()
	name := cmp.Or(os.Getenv("MMILN_PYTHON"), "python3")
	if err := exec.CommandContext(t.Context(), name, "-c", "import tensorboard").Run(); err != nil {
		t.Skipf("%s has no tensorboard; pip install tensorboard, or name another interpreter in MMILN_PYTHON", name)
	}
	return name
}

func TestTensorBoardItselfReadsEveryScalarOfARun(t *testing.T) {
	interpreter := python(t)
	r, err := Create(t.TempDir(), Manifest{Commit: "c"})
	require.NoError(t, err)
	for epoch := 1; epoch <= 200; epoch++ {
		require.NoError(t, r.Scalars(epoch, map[string]float64{"train/loss": 1 / float64(epoch), "valid/corr": math.NaN(), "valid/mae": -float64(epoch)}))
	}
	require.NoError(t, r.Close())
	r, err = Resume(r.Dir())
	require.NoError(t, err)
	require.NoError(t, r.Rewind(150))
	require.NoError(t, r.Scalars(151, map[string]float64{"train/loss": 1, "valid/corr": 0.5, "valid/mae": 2}))
	require.NoError(t, r.Close())

	text, err := exec.CommandContext(t.Context(), interpreter, "testdata/read_events.py", r.Dir()).Output()
	require.NoError(t, err)
	var found struct {
		Version float64
		Scalars map[string][][2]any
	}
	require.NoError(t, json.Unmarshal(text, &found))
	assert.Equal(t, 2.0, found.Version)
	reader, err := Open(r.Dir())
	require.NoError(t, err)
	lines, err := reader.Metrics()
	require.NoError(t, err)
	require.Len(t, lines, 151)
	assert.Len(t, found.Scalars, len(lines[0].Values))
	for tag, points := range found.Scalars {
		require.Len(t, points, len(lines), tag)
		for i, line := range lines {
			assert.Equal(t, float64(line.Epoch), points[i][0], tag)
			value, err := strconv.ParseFloat(points[i][1].(string), 64)
			require.NoError(t, err)
			if want := float64(line.Values[tag]); math.IsNaN(want) {
				assert.True(t, math.IsNaN(value), tag)
			} else {
				assert.Equal(t, float64(float32(want)), value, tag)
			}
		}
	}
}
