package mmiln_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/internal/golden"
)

// ulgmFile is a golden file of testdata/reference/make_ulgm.py.
type ulgmFile struct {
	t    *testing.T
	file *safetensors.File
	Meta struct {
		Tasks             []mmiln.Task
		Distance, Centres string
		Guard, Limit      float64
		Epochs            int
		Batches           [][][]int
	}
}

func readULGM(t *testing.T, path string) *ulgmFile {
	file, err := safetensors.ReadFile(path)
	require.NoError(t, err)
	f := &ulgmFile{t: t, file: file}
	require.NoError(t, json.Unmarshal([]byte(file.Metadata["config"]), &f.Meta))
	return f
}

func (f *ulgmFile) floats(name string) ([]float64, []int) {
	values, dims, err := f.file.Float64(name)
	require.NoError(f.t, err)
	return values, dims
}

func (f *ulgmFile) counts(name string) []int64 {
	values, _, err := f.file.Int64(name)
	require.NoError(f.t, err)
	return values
}

// start builds the generator that the file describes.
func (f *ulgmFile) start() *mmiln.ULGM {
	truth, _ := f.floats("truth")
	width := map[mmiln.Task]int{}
	for _, task := range f.Meta.Tasks {
		_, dims := f.floats("features." + string(task))
		width[task] = dims[2]
	}
	c := mmiln.ULGMConfig{Distance: f.Meta.Distance, Guard: f.Meta.Guard, Limit: f.Meta.Limit, Centres: f.Meta.Centres}
	require.NoError(f.t, c.Validate())
	return mmiln.NewULGM(c, narrow(truth), f.Meta.Tasks, width)
}

func narrow(values []float64) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

// batch gathers the features of some rows of one epoch.
func (f *ulgmFile) batch(epoch int, rows []int) map[mmiln.Task][]float32 {
	out := map[mmiln.Task][]float32{}
	for _, task := range f.Meta.Tasks {
		values, dims := f.floats("features." + string(task))
		for _, row := range rows {
			begin := (epoch*dims[1] + row) * dims[2]
			out[task] = append(out[task], narrow(values[begin:begin+dims[2]])...)
		}
	}
	return out
}

func TestULGMEqualsNumPyOverThreeEpochs(t *testing.T) {
	for _, path := range golden.Files(t, goldenFolder, "ulgm_*.safetensors") {
		f := readULGM(t, path)
		u := f.start()
		step := 0
		for epoch, batches := range f.Meta.Batches {
			guarded, clipped := u.Guarded, map[mmiln.Task]int{}
			for task, n := range u.Clipped {
				clipped[task] = n
			}
			for _, rows := range batches {
				alphas := u.Step(epoch+1, rows, f.batch(epoch, rows))
				for _, task := range f.Meta.Tasks {
					f.sameCentres(u, task, step)
					f.sameAlphas(alphas[task], task, epoch, rows)
				}
				step++
			}
			assert.EqualValues(t, f.counts("guarded")[epoch], u.Guarded-guarded, "%s: guarded in epoch %d", path, epoch+1)
			for _, task := range f.Meta.Tasks[1:] {
				assert.EqualValues(t, f.counts("clipped." + string(task))[epoch], u.Clipped[task]-clipped[task], "%s: %s", path, task)
			}
			f.sameLabels(u, epoch)
		}
	}
}

func (f *ulgmFile) sameCentres(u *mmiln.ULGM, task mmiln.Task, step int) {
	want, dims := f.floats("centres." + string(task))
	d := dims[2]
	for class := range 2 {
		assert.InDeltaSlice(f.t, want[(2*step+class)*d:(2*step+class+1)*d], u.Centres[task][class], 1e-6, "%s, batch %d", task, step)
	}
}

func (f *ulgmFile) sameAlphas(got []float64, task mmiln.Task, epoch int, rows []int) {
	want, dims := f.floats("alpha." + string(task))
	for i, alpha := range got {
		assert.InDelta(f.t, want[epoch*dims[1]+rows[i]], alpha, 1e-6, "%s, row %d of epoch %d", task, rows[i], epoch+1)
	}
}

func (f *ulgmFile) sameLabels(u *mmiln.ULGM, epoch int) {
	for _, task := range f.Meta.Tasks {
		want, dims := f.floats("labels." + string(task))
		assert.InDeltaSlice(f.t, want[epoch*dims[1]:(epoch+1)*dims[1]], u.Labels[task], 1e-6, "%s, epoch %d", task, epoch+1)
	}
}

func TestALabelNeverLeavesTheLimit(t *testing.T) {
	truth := []float32{3, -3, 0.2, -0.2}
	u := mmiln.NewULGM(mmiln.DefaultULGM(), truth, []mmiln.Task{mmiln.Multimodal, mmiln.Audio}, map[mmiln.Task]int{mmiln.Multimodal: 1, mmiln.Audio: 1})
	rows := []int{0, 1, 2, 3}
	for epoch := 1; epoch <= 5; epoch++ {
		u.Step(epoch, rows, map[mmiln.Task][]float32{mmiln.Multimodal: {1, -1, 1e-4, -1e-4}, mmiln.Audio: {9, -9, 7, -7}})
	}
	for _, label := range u.Labels[mmiln.Audio] {
		assert.LessOrEqual(t, label, 3.0)
		assert.GreaterOrEqual(t, label, -3.0)
	}
	assert.Positive(t, u.Clipped[mmiln.Audio])
}
