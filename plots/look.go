package plots

import (
	"fmt"
	"strings"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

// AlongOf takes the gates g_s of one auxiliary modality, of every layer, from what a trained model saw in one example.
func AlongOf(l experiment.Look, modality mmiln.Task) (Along, error) {
	a := Along{ID: l.Info.ID, Values: map[string][]float64{}}
	for _, name := range l.Names {
		if !strings.HasSuffix(name, ".sag."+string(modality)+".g_s") {
			continue
		}
		tap := l.Taps[name] // [T, d_s]
		if len(tap.Dims) != 2 {
			return a, fmt.Errorf("plots: tap %s has dimensions %v; gates of steps have [T, d_s]", name, tap.Dims)
		}
		a.Gates = append(a.Gates, name)
		a.Values[name] = rowMeans(tap)
		a.Steps = stepNames("", tap.Dims[0])
	}
	if len(a.Gates) == 0 {
		return a, fmt.Errorf("plots: the model has no gates g_s for %s: it is another system, or an ablation without them", modality)
	}
	return a, nil
}

// AttendedOf takes one attention, the mean over its heads, from what a trained model saw in one example. tap is its name, such
// as layers.0.sag.audio.self.probabilities.
func AttendedOf(l experiment.Look, tap string) (Attended, error) {
	found, ok := l.Taps[tap] // [heads, Q, K]
	if !ok || len(found.Dims) != 3 {
		return Attended{}, fmt.Errorf("plots: there is no attention %q among the taps; there are %s", tap, strings.Join(attentions(l), ", "))
	}
	heads, queries, keys := found.Dims[0], found.Dims[1], found.Dims[2]
	a := Attended{ID: l.Info.ID, Layer: tap, Queries: stepNames(l.Info.Words, queries), Keys: stepNames(l.Info.Words, keys)}
	if !strings.Contains(tap, ".self.") {
		a.Keys = stepNames("", keys)
	}
	for q := range queries {
		row := make([]float64, keys)
		for h := range heads {
			for k := range keys {
				row[k] += float64(found.Values[(h*queries+q)*keys+k]) / float64(heads)
			}
		}
		a.Weights = append(a.Weights, row)
	}
	return a, nil
}

// attentions lists the taps that are attention.
func attentions(l experiment.Look) (names []string) {
	for _, name := range l.Names {
		if strings.HasSuffix(name, ".probabilities") {
			names = append(names, name)
		}
	}
	return names
}

// stepNames are the words of a transcript where there is one for each step, else numbers from 1.
func stepNames(transcript string, steps int) []string {
	if words := strings.Fields(transcript); len(words) == steps {
		return words
	}
	names := make([]string, steps)
	for i := range names {
		names[i] = fmt.Sprint(i + 1)
	}
	return names
}

func rowMeans(t experiment.Tapped) []float64 {
	width := t.Dims[len(t.Dims)-1]
	means := make([]float64, len(t.Values)/width)
	for i, v := range t.Values {
		means[i/width] += float64(v) / float64(width)
	}
	return means
}
