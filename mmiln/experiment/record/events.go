package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// TensorBoard's event file is a row of TFRecords, each holding an Event message. It repeats metrics.jsonl, so nothing has to
// be read from it: each writer of a run makes it anew from there and then adds to it.
//
// Sources: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto.

const eventsPrefix = "events.out.tfevents."

// Keys of protobuf fields: number<<3 | wire type (0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes).
const (
	eventWallTime     = 1<<3 | 1
	eventStep         = 2 << 3
	eventFileVersion  = 3<<3 | 2
	eventSummary      = 5<<3 | 2
	summaryValue      = 1<<3 | 2
	valueTag          = 1<<3 | 2
	valueSimpleNumber = 2<<3 | 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// remakeEvents replaces the event files of earlier writers by one that holds what metrics.jsonl holds.
func (r *Run) remakeEvents() error {
	lines, err := Read[Scalars](&Reader{dir: r.dir}, Metrics)
	if err != nil {
		return err
	}
	earlier, err := fs.Glob(os.DirFS(r.dir), tensorBoardDir+"/"+eventsPrefix+"*")
	if err != nil {
		return failed("listing", r.dir, err)
	}
	now := time.Now()
	r.events = fmt.Sprintf("%s/%s%010d.mmiln", tensorBoardDir, eventsPrefix, now.Unix())
	content := tfRecord(event(now, 0, eventFileVersion, []byte("brain.Event:2")))
	for _, line := range lines {
		content = append(content, line.event(now)...)
	}
	if err := replace(filepath.Join(r.dir, r.events), content); err != nil {
		return err
	}
	for _, name := range earlier {
		if name != r.events {
			err = errors.Join(err, os.Remove(filepath.Join(r.dir, name)))
		}
	}
	return err
}

// event is the line for TensorBoard.
func (s Scalars) event(now time.Time) []byte {
	var summary []byte
	for _, tag := range slices.Sorted(maps.Keys(s.Values)) {
		value := append(appendBytes(nil, valueTag, []byte(tag)), valueSimpleNumber)
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(s.Values[tag])))
		summary = appendBytes(summary, summaryValue, value)
	}
	return tfRecord(event(now, s.Epoch, eventSummary, summary))
}

// event is an Event message with one field beside time and step. A step of zero is left out, as protobuf's default.
func event(now time.Time, step int, field byte, content []byte) []byte {
	seconds := math.Float64bits(float64(now.UnixMicro()) / 1e6)
	message := binary.LittleEndian.AppendUint64([]byte{eventWallTime}, seconds)
	if step > 0 {
		message = binary.AppendUvarint(append(message, eventStep), uint64(step))
	}
	return appendBytes(message, field, content)
}

func appendBytes(to []byte, key byte, content []byte) []byte {
	return append(binary.AppendUvarint(append(to, key), uint64(len(content))), content...)
}

// tfRecord frames data: its length, the length's checksum, the data, the data's checksum.
func tfRecord(data []byte) []byte {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(record))
	return binary.LittleEndian.AppendUint32(append(record, data...), maskedCRC(data))
}

// maskedCRC is CRC-32C, rotated and shifted so that a checksum over data that holds checksums is not a special one.
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
