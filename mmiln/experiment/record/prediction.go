package record

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Prediction is one line of predictions/<split>.csv.
type Prediction struct {
	ID    string
	Label float32
	Value float32            // the prediction for the label
	Tasks map[string]float32 // predictions of the other tasks by name; the same names in every row
}

var predictionColumns = []string{"id", "label", "prediction"}

// Predictions keeps a model's predictions for a split as predictions/<split>.csv, in place of earlier ones. Task columns
// come in alphabetical order.
func (r *Run) Predictions(split string, rows []Prediction) error {
	if !goodName.MatchString(split) {
		return fmt.Errorf("record: %q cannot name a split; use letters, digits, '.', '_' and '-'", split)
	}
	tasks := []string{}
	if len(rows) > 0 {
		tasks = slices.Sorted(maps.Keys(rows[0].Tasks))
	}
	var content bytes.Buffer
	if err := writeRow(&content, slices.Concat(predictionColumns, tasks)); err != nil {
		return fmt.Errorf("record: predictions for %s: %w", split, err)
	}
	for _, row := range rows {
		values, err := row.values(tasks)
		if err == nil {
			err = writeRow(&content, []string{row.ID}, values...)
		}
		if err != nil {
			return fmt.Errorf("record: predictions for %s: %w", split, err)
		}
	}
	return r.replace(predictionsPath(split), content.Bytes())
}

func predictionsPath(split string) string { return filepath.Join(predictionsDir, split+".csv") }

func (p Prediction) values(tasks []string) ([]float32, error) {
	values := []float32{p.Label, p.Value}
	for _, task := range tasks {
		if v, ok := p.Tasks[task]; ok {
			values = append(values, v)
		}
	}
	if len(values) != 2+len(tasks) || len(p.Tasks) != len(tasks) {
		return nil, fmt.Errorf("%q has predictions for other tasks than the first row, which has %q", p.ID, tasks)
	}
	return values, nil
}

// Predictions reads predictions/<split>.csv. It wraps fs.ErrNotExist where the run has none for that split.
func (r *Reader) Predictions(split string) ([]Prediction, error) {
	path := filepath.Join(r.dir, predictionsPath(split))
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("record: no predictions for %s: %w (the run is %s)", split, err, r.manifest.Status)
	}
	var rows []Prediction
	_, err := scanCSV(path, predictionColumns, 1, func(header, cells []string, numbers []float32) error {
		p := Prediction{ID: cells[0], Label: numbers[0], Value: numbers[1]}
		if len(numbers) > 2 {
			p.Tasks = map[string]float32{}
		}
		for i, v := range numbers[2:] {
			p.Tasks[header[3+i]] = v
		}
		rows = append(rows, p)
		return nil
	})
	return rows, err
}
