package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"time"
)

var streamName = regexp.MustCompile(`^[a-z0-9_]+\.jsonl$`)

// Append adds v to a stream as one line of JSON. It must encode to an object with an "epoch" that is not before the last
// one written there.
func (r *Run) Append(stream Stream, v any) error {
	if !streamName.MatchString(string(stream)) || stream == openedFile {
		return fmt.Errorf("record: %q cannot name a stream; use lower-case letters, digits and '_', ending in .jsonl", stream)
	}
	line, err := encodeLine(string(stream), v)
	if err != nil {
		return err
	}
	epoch, err := epochOf(line)
	if err != nil {
		return fmt.Errorf("record: appending to %s: %w", stream, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.append(string(stream), epoch, line)
}

func encodeLine(name string, v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("record: appending to %s: %w (use record.Number for what may be NaN)", name, err)
	}
	return append(line, '\n'), nil
}

// append adds content to the log called name, all of one epoch.
func (r *Run) append(name string, epoch int, content []byte) error {
	if last, ok := r.last[name]; ok && epoch < last {
		return fmt.Errorf("record: %s is at epoch %d and cannot take epoch %d; call Rewind first", filepath.Join(r.dir, name), last, epoch)
	}
	l, err := r.openLog(name)
	if err != nil {
		return err
	}
	if err := l.append(content); err != nil {
		return err
	}
	r.last[name] = epoch
	return nil
}

func (r *Run) openLog(name string) (*log, error) {
	if l, ok := r.logs[name]; ok {
		return l, nil
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	l, err := openLog(filepath.Join(r.dir, name))
	if err != nil {
		return nil, err
	}
	r.logs[name] = l
	return l, nil
}

// Scalars records what an epoch came to, in [Metrics] and for TensorBoard.
func (r *Run) Scalars(epoch int, values map[string]float64) error {
	line := Scalars{epoch, make(map[string]Number, len(values))}
	for name, v := range values {
		line.Values[name] = Number(v)
	}
	if err := r.Append(Metrics, line); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.append(r.events, epoch, line.event(time.Now()))
}

// Opening is one line of opened.jsonl.
type Opening struct {
	Time   time.Time `json:"time"` // where it is zero, now
	Split  string    `json:"split"`
	Reason string    `json:"reason"`
	SHA256 string    `json:"data_sha256"` // of the data that was opened
}

// Opened records that a sealed split was opened. It is on the disk when Opened returns, and no [Run.Rewind] takes it back.
func (r *Run) Opened(o Opening) error {
	o.Time = cmp.Or(o.Time, time.Now().Truncate(time.Second))
	line, err := encodeLine(openedFile, o)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logs[openedFile] == nil { // a line torn by a crash must not swallow this one
		if err := r.rewind(openedFile, walkStream, math.MaxInt); err != nil {
			return err
		}
	}
	if err := r.append(openedFile, 0, line); err != nil {
		return err
	}
	return r.logs[openedFile].sync()
}
