package record

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// PseudoLabel is one line of pseudo_labels.csv: the label that an example has for one task at an epoch's end.
type PseudoLabel struct {
	Epoch int
	Split string
	ID    string
	Task  string  // "audio", "vision"
	Label float32 // y_s
	Human float32 // y_m, the human label
}

// GateExample is one line of gates_examples.csv: how far a gate was open for one example.
type GateExample struct {
	Epoch int
	ID    string
	Gate  string // its tap's name
	Mean  float32
}

// table is a CSV log whose first column is the epoch.
type table[R any] struct {
	file   string
	header []string
	encode func(R) (epoch int, texts []string, numbers []float32)
	decode func(epoch int, texts []string, numbers []float32) R
	texts  int // columns between the epoch and the numbers
}

var pseudoLabels = table[PseudoLabel]{
	file:   pseudoLabelsFile,
	header: []string{"epoch", "split", "id", "task", "label", "y_m"},
	texts:  3,
	encode: func(r PseudoLabel) (int, []string, []float32) {
		return r.Epoch, []string{r.Split, r.ID, r.Task}, []float32{r.Label, r.Human}
	},
	decode: func(epoch int, texts []string, numbers []float32) PseudoLabel {
		return PseudoLabel{epoch, texts[0], texts[1], texts[2], numbers[0], numbers[1]}
	},
}

var gateExamples = table[GateExample]{
	file:   gateExamplesFile,
	header: []string{"epoch", "id", "gate", "mean"},
	texts:  2,
	encode: func(r GateExample) (int, []string, []float32) {
		return r.Epoch, []string{r.ID, r.Gate}, []float32{r.Mean}
	},
	decode: func(epoch int, texts []string, numbers []float32) GateExample {
		return GateExample{epoch, texts[0], texts[1], numbers[0]}
	},
}

// PseudoLabels adds the pseudo-labels of one epoch, in one call.
func (r *Run) PseudoLabels(rows []PseudoLabel) error { return pseudoLabels.append(r, rows) }

// GateExamples adds the gates of one epoch, in one call.
func (r *Run) GateExamples(rows []GateExample) error { return gateExamples.append(r, rows) }

// PseudoLabels goes through pseudo_labels.csv, which for a large data set is long. It ends at the first error.
func (r *Reader) PseudoLabels() iter.Seq2[PseudoLabel, error] { return pseudoLabels.rows(r.dir) }

// GateExamples goes through gates_examples.csv. It ends at the first error.
func (r *Reader) GateExamples() iter.Seq2[GateExample, error] { return gateExamples.rows(r.dir) }

func (t table[R]) append(r *Run, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	var content bytes.Buffer
	epoch, _, _ := t.encode(rows[0])
	for _, row := range rows {
		at, texts, numbers := t.encode(row)
		if at != epoch || at < 0 {
			return fmt.Errorf("record: rows of epochs %d and %d for %s in one call; pass those of one epoch", epoch, at, t.file)
		}
		if err := writeRow(&content, append([]string{strconv.Itoa(at)}, texts...), numbers...); err != nil {
			return fmt.Errorf("record: %s: %w", t.file, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l, err := r.openLog(t.file)
	if err != nil {
		return err
	}
	if l.size == 0 {
		return r.append(t.file, epoch, append([]byte(strings.Join(t.header, ",")+"\n"), content.Bytes()...))
	}
	return r.append(t.file, epoch, content.Bytes())
}

// rows decodes the table row by row.
func (t table[R]) rows(dir string) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		_, err := t.scan(filepath.Join(dir, t.file), func(row R) error {
			if !yield(row, nil) {
				return errStop
			}
			return nil
		})
		if err != nil {
			var none R
			yield(none, err)
		}
	}
}

func (t table[R]) walk(path string, visit func(epoch int) error) (int64, error) {
	return t.scan(path, func(row R) error {
		epoch, _, _ := t.encode(row)
		return visit(epoch)
	})
}

func (t table[R]) scan(path string, visit func(row R) error) (int64, error) {
	return scanCSV(path, t.header, 1+t.texts, func(_, cells []string, numbers []float32) error {
		epoch, err := strconv.Atoi(cells[0])
		if err != nil || epoch < 0 {
			return fmt.Errorf("%w: epoch %q", errDamaged, cells[0])
		}
		return visit(t.decode(epoch, cells[1:], numbers))
	})
}

// scanCSV is scan for a table that begins with the columns of start: texts of text, the rest numbers.
func scanCSV(path string, start []string, texts int, visit func(header, cells []string, numbers []float32) error) (int64, error) {
	var header []string
	return scan(path, func(line []byte) error {
		cells, err := splitRow(string(line))
		if err != nil {
			return err
		}
		if header == nil {
			header = cells
			return checkHeader(header, start)
		}
		if len(cells) != len(header) {
			return fmt.Errorf("%w: %d cells for %d columns", errDamaged, len(cells), len(header))
		}
		numbers, err := parseFloats(cells[texts:])
		if err != nil {
			return err
		}
		return visit(header, cells[:texts], numbers)
	})
}

func checkHeader(header, start []string) error {
	if !slices.Equal(header[:min(len(header), len(start))], start) {
		return fmt.Errorf("the columns are %q; they must be %q", header, start)
	}
	return nil
}

// writeRow writes one line of CSV. Line breaks in cells are refused, so that a line is a row.
func writeRow(to *bytes.Buffer, cells []string, numbers ...float32) error {
	for _, cell := range cells {
		if strings.ContainsAny(cell, "\r\n") {
			return fmt.Errorf("%q has a line break; take it out of the name", cell)
		}
	}
	for _, v := range numbers {
		cells = append(cells, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	w := csv.NewWriter(to)
	err := w.Write(cells)
	w.Flush()
	return errors.Join(err, w.Error())
}

// splitRow reads one line of CSV. Without quotes, which is nearly always, there is no need for a parser.
func splitRow(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	cells, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return cells, nil
}

func parseFloats(cells []string) ([]float32, error) {
	numbers := make([]float32, len(cells))
	for i, cell := range cells {
		v, err := strconv.ParseFloat(cell, 32)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is not a number", errDamaged, cell)
		}
		numbers[i] = float32(v)
	}
	return numbers, nil
}
