package record

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestEventsAreTheBytesThatTensorBoardWrites(t *testing.T) {
	want, err := os.ReadFile("testdata/events.golden")
	require.NoError(t, err)
	now := time.Unix(1764028800, 250e6)
	got := tfRecord(event(now, 0, eventFileVersion, []byte("brain.Event:2")))
	got = append(got, Scalars{0, map[string]Number{"valid/mae": 0, "train/loss": 1.5}}.event(now)...)
	got = append(got, Scalars{300, map[string]Number{"valid/mae": -0.1, "train/loss": Number(math.Inf(1))}}.event(now)...)
	assert.Equal(t, want, got)
}

func TestTensorBoardFollowsMetricsThroughResumeAndRewind(t *testing.T) {
	r, err := Create(t.TempDir(), Manifest{Commit: "c"})
	require.NoError(t, err)
	for epoch := 1; epoch <= 4; epoch++ {
		require.NoError(t, r.Scalars(epoch, map[string]float64{"train/loss": float64(epoch)}))
	}
	require.NoError(t, r.Close())
	assert.Equal(t, []float32{1, 2, 3, 4}, readEvents(t, r.Dir(), "train/loss"))

	r, err = Resume(r.Dir())
	require.NoError(t, err)
	require.NoError(t, r.Rewind(2))
	require.NoError(t, r.Scalars(3, map[string]float64{"train/loss": 30}))
	require.NoError(t, r.Close())
	assert.Equal(t, []float32{1, 2, 30}, readEvents(t, r.Dir(), "train/loss"))
}

// readEvents reads the only event file of a run with the protobuf library, checks each checksum, and returns the values of
// one tag; the steps must count from 1.
func readEvents(t *testing.T, dir, tag string) (values []float32) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tensorboard", "events.out.tfevents.*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	rest, err := os.ReadFile(files[0])
	require.NoError(t, err)
	first := true
	for len(rest) > 0 {
		var record []byte
		record, rest = unframe(t, rest)
		if fields := messageFields(t, record); first {
			assert.Equal(t, "brain.Event:2", string(fields[3][0]))
			first = false
		} else {
			step, _ := protowire.ConsumeVarint(fields[2][0])
			assert.Equal(t, uint64(len(values)+1), step)
			values = append(values, scalar(t, fields[5][0], tag))
		}
	}
	return values
}

// unframe takes one TFRecord off. A masked checksum is unmasked here as TensorFlow's crc32c::Unmask does.
func unframe(t *testing.T, in []byte) (record, rest []byte) {
	t.Helper()
	require.GreaterOrEqual(t, len(in), 16)
	n := binary.LittleEndian.Uint64(in)
	unmask := func(b []byte) uint32 {
		rotated := binary.LittleEndian.Uint32(b) - 0xa282ead8
		return rotated>>17 | rotated<<15
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	require.Equal(t, crc32.Checksum(in[:8], table), unmask(in[8:12]))
	require.Equal(t, crc32.Checksum(in[12:12+n], table), unmask(in[12+n:]))
	return in[12 : 12+n], in[16+n:]
}

func scalar(t *testing.T, summary []byte, tag string) float32 {
	t.Helper()
	for _, value := range messageFields(t, summary)[1] {
		if fields := messageFields(t, value); string(fields[1][0]) == tag {
			bits, _ := protowire.ConsumeFixed32(fields[2][0])
			return math.Float32frombits(bits)
		}
	}
	require.Fail(t, "no such tag", tag)
	return 0
}

// messageFields splits a message into its fields' raw values, those of bytes without their length.
func messageFields(t *testing.T, message []byte) map[protowire.Number][][]byte {
	t.Helper()
	fields := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		require.GreaterOrEqual(t, n, 0)
		message = message[n:]
		size := protowire.ConsumeFieldValue(number, kind, message)
		require.GreaterOrEqual(t, size, 0)
		value := message[:size]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(message)
		}
		fields[number] = append(fields[number], value)
		message = message[size:]
	}
	return fields
}
