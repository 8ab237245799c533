package record_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// epoch writes what a training loop would write for one.
func epoch(t *testing.T, r *record.Run, e int) {
	t.Helper()
	value := float32(math.Sqrt(float64(e)))
	require.NoError(t, r.Scalars(e, map[string]float64{"train/loss": 1 / float64(e), "valid/mae": float64(value)}))
	for layer := range 3 {
		require.NoError(t, r.Append(record.Gates, gate{e, layer, float64(value)}))
	}
	require.NoError(t, r.Append(record.Refusion, map[string]int{"epoch": e}))
	require.NoError(t, r.Append("gradients.jsonl", map[string]int{"epoch": e}))
	require.NoError(t, r.PseudoLabels([]record.PseudoLabel{{e, "train", "a", "audio", value, 1}, {e, "train", "b", "audio", -value, 1}}))
	require.NoError(t, r.GateExamples([]record.GateExample{{e, "a", "g_r", value}}))
	require.NoError(t, r.Sync())
}

var logs = []string{"metrics.jsonl", "gates.jsonl", "refusion.jsonl", "gradients.jsonl", "pseudo_labels.csv", "gates_examples.csv"}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range logs {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		all[name] = string(text)
	}
	return all
}

func TestAResumedRunWritesTheBytesOfAnUninterruptedOne(t *testing.T) {
	whole, broken := create(t), create(t)
	for e := 1; e <= 6; e++ {
		epoch(t, whole, e)
	}
	for e := 1; e <= 5; e++ {
		epoch(t, broken, e)
	}
	require.NoError(t, broken.Close())
	for _, name := range logs {
		write(t, broken.Dir(), name, "6,tor")
	}
	broken, err := record.Resume(broken.Dir())
	require.NoError(t, err)
	defer broken.Close()
	require.NoError(t, broken.Rewind(3))
	for e := 4; e <= 6; e++ {
		epoch(t, broken, e)
	}
	assert.Equal(t, contents(t, whole.Dir()), contents(t, broken.Dir()))
}

func TestRewindToTheStartEqualsANewRun(t *testing.T) {
	fresh, rewound := create(t), create(t)
	epoch(t, rewound, 2)
	require.NoError(t, rewound.Rewind(0))
	epoch(t, fresh, 1)
	epoch(t, rewound, 1)
	assert.Equal(t, contents(t, fresh.Dir()), contents(t, rewound.Dir()))
}

func TestResumeKeepsWholeEpochsAndRefusesEarlierOnes(t *testing.T) {
	r := create(t)
	epoch(t, r, 1)
	epoch(t, r, 2)
	before := contents(t, r.Dir())
	require.NoError(t, r.Close())
	r, err := record.Resume(r.Dir())
	require.NoError(t, err)
	defer r.Close()
	assert.Equal(t, before, contents(t, r.Dir()))
	assert.ErrorContains(t, r.Append(record.Gates, gate{Epoch: 1}), "is at epoch 2 and cannot take epoch 1; call Rewind first")
}

func TestEveryTornLastLineIsPassedOverAndCutOnResume(t *testing.T) {
	r := create(t)
	epoch(t, r, 1)
	require.NoError(t, r.Close())
	want := contents(t, r.Dir())
	line := map[bool]string{true: `{"epoch":2,"values":{"valid/mae":1}}`, false: `2,"tr,ain",b,audio,0.5,1`}
	for _, name := range []string{"metrics.jsonl", "pseudo_labels.csv"} {
		full := line[strings.HasSuffix(name, ".jsonl")]
		for cut := 1; cut <= len(full); cut++ {
			write(t, r.Dir(), name, full[:cut])
			reader := open(t, r.Dir())
			metrics, err := reader.Metrics()
			require.NoError(t, err)
			assert.Len(t, metrics, 1)
			labels, err := collect(reader.PseudoLabels())
			require.NoError(t, err)
			assert.Len(t, labels, 2)
			again, err := record.Resume(r.Dir())
			require.NoError(t, err)
			require.NoError(t, again.Close())
			require.Equal(t, want, contents(t, r.Dir()), full[:cut])
		}
	}
}

func TestADamagedLastLineWithItsNewlineCountsAsTorn(t *testing.T) {
	r := create(t)
	epoch(t, r, 1)
	write(t, r.Dir(), "metrics.jsonl", "{\"epoch\": 2, \"val\n")
	write(t, r.Dir(), "pseudo_labels.csv", "2,train,a\n")
	got, err := open(t, r.Dir()).Metrics()
	require.NoError(t, err)
	assert.Len(t, got, 1)
	require.NoError(t, r.Rewind(1))
	epoch(t, r, 2)
	labels, err := collect(open(t, r.Dir()).PseudoLabels())
	require.NoError(t, err)
	assert.Len(t, labels, 4)
}

func TestADamagedMiddleLineIsAnErrorWithFileAndLine(t *testing.T) {
	for _, tail := range []string{"{\"epoch\":3}\n", "{\"ep"} {
		r := create(t)
		epoch(t, r, 1)
		require.NoError(t, r.Close())
		write(t, r.Dir(), "metrics.jsonl", "{\"epoch\":2,\n"+tail)
		got, err := open(t, r.Dir()).Metrics()
		assert.ErrorContains(t, err, filepath.Join(r.Dir(), "metrics.jsonl")+":2")
		assert.Len(t, got, 1, "what came before")
		before := contents(t, r.Dir())
		_, err = record.Resume(r.Dir())
		assert.ErrorContains(t, err, "metrics.jsonl:2")
		assert.Equal(t, before, contents(t, r.Dir()), "nothing is cut away from a file that a person should look at")
	}
}

func TestADamagedMiddleRowIsAnErrorWithFileAndLine(t *testing.T) {
	for _, row := range []string{"x,train,a,audio,1,1", "2,train,a,audio,1", "2,train,a,audio,much,1", `2,"train,a,audio,1,1`, "-2,train,a,audio,1,1", ""} {
		r := create(t)
		epoch(t, r, 1)
		write(t, r.Dir(), "pseudo_labels.csv", row+"\n2,train,a,audio,1,1\n")
		labels, err := collect(open(t, r.Dir()).PseudoLabels())
		assert.ErrorContains(t, err, "pseudo_labels.csv:4", row)
		assert.Len(t, labels, 2)
	}
}

func TestALineOfAnotherTypeIsAnErrorEvenWhereItIsTheLast(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Append(record.Gates, map[string]any{"epoch": 1, "layer": "first"}))
	_, err := record.Read[gate](open(t, r.Dir()), record.Gates)
	assert.ErrorContains(t, err, "gates.jsonl:1")
}

func TestATableWithOtherColumnsIsAnError(t *testing.T) {
	r := create(t)
	write(t, r.Dir(), "pseudo_labels.csv", "epoch,id\n1,a\n")
	_, err := collect(open(t, r.Dir()).PseudoLabels())
	assert.ErrorContains(t, err, "pseudo_labels.csv:1")
	write(t, filepath.Join(r.Dir(), "predictions"), "test.csv", "name,value\na,1\n")
	_, err = open(t, r.Dir()).Predictions("test")
	assert.ErrorContains(t, err, "test.csv:1")
}

func TestATornHeaderIsWrittenAnew(t *testing.T) {
	r := create(t)
	write(t, r.Dir(), "pseudo_labels.csv", "epoch,spl")
	require.NoError(t, r.Rewind(0))
	want := []record.PseudoLabel{{1, "train", "a", "audio", 1, 1}}
	require.NoError(t, r.PseudoLabels(want))
	got, err := collect(open(t, r.Dir()).PseudoLabels())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestALineWithoutEndIsAnErrorAndNotAllOfMemory(t *testing.T) {
	r := create(t)
	path := filepath.Join(r.Dir(), "metrics.jsonl")
	write(t, r.Dir(), "metrics.jsonl", "{\"epoch\":1}\n")
	require.NoError(t, os.Truncate(path, 1<<40)) // sparse: a terabyte of zeros
	_, err := open(t, r.Dir()).Metrics()
	assert.ErrorContains(t, err, "metrics.jsonl:2 has more than 16 MiB")
}

var fuzzed = []string{"metrics.jsonl", "pseudo_labels.csv", "gates_examples.csv", "predictions/test.csv", "opened.jsonl", "run.json"}

func FuzzRead(f *testing.F) {
	f.Add(uint8(0), []byte("{\"epoch\":1,\"values\":{\"valid/mae\":0.5,\"corr\":null}}\n{\"epoch\":2"))
	f.Add(uint8(1), []byte("epoch,split,id,task,label,y_m\n1,train,\"a,b\",audio,0.5,NaN\n2,tr"))
	f.Add(uint8(2), []byte("epoch,id,gate,mean\n\n1,a,g_r,1\n"))
	f.Add(uint8(3), []byte("id,label,prediction,audio\na,1,2,3\n\"\"\"\",-1,0x1p-2,inf\n"))
	f.Add(uint8(4), []byte("{\"time\":\"2026-11-24T00:00:00Z\"}\nnull\n{}\n"))
	f.Add(uint8(5), []byte(`{"format":1,"status":"running","created":"2026-11-24T00:00:00Z","config":{}}`))
	root, err := os.MkdirTemp(memoryFolder(), "fuzz")
	require.NoError(f, err)
	f.Cleanup(func() { os.RemoveAll(root) })
	f.Fuzz(func(t *testing.T, file uint8, content []byte) {
		r, err := record.Create(root, manifest)
		require.NoError(t, err)
		defer os.RemoveAll(r.Dir())
		require.NoError(t, r.Close())
		require.NoError(t, os.WriteFile(filepath.Join(r.Dir(), fuzzed[int(file)%len(fuzzed)]), content, 0o644))
		if before, err := readAll(r.Dir()); err == nil {
			resumed, err := record.Resume(r.Dir())
			if err != nil { // readers need less than a rewind does: an epoch in each line
				return
			}
			defer resumed.Close()
			after, err := readAll(r.Dir())
			require.NoError(t, err)
			assert.Equal(t, before, after, "a repair changes nothing that could be read")
		}
	})
}

// memoryFolder is a place where syncing costs nothing, if there is one.
func memoryFolder() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// readAll counts what can be read of each file.
func readAll(dir string) (counts [5]int, err error) {
	reader, err := record.Open(dir)
	if err != nil {
		return counts, err
	}
	metrics, err := reader.Metrics()
	if err != nil {
		return counts, err
	}
	openings, err := reader.Openings()
	if err != nil {
		return counts, err
	}
	labels, err := collect(reader.PseudoLabels())
	if err != nil {
		return counts, err
	}
	gates, err := collect(reader.GateExamples())
	if err != nil {
		return counts, err
	}
	predictions, _ := reader.Predictions("test")
	return [5]int{len(metrics), len(openings), len(labels), len(gates), len(predictions)}, nil
}
