package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// maxBoxes is how many epochs stand side by side as boxes.
const maxBoxes = 30

// Drift shows how y_s − y_m spreads over training examples, epoch by epoch, for one task: Eq. (34) and the momentum.
func Drift(run *record.Reader, task mmiln.Task) (Chart, error) {
	byEpoch := map[int][]float64{}
	for row, err := range run.PseudoLabels() {
		if err != nil {
			return Chart{}, err
		}
		if row.Task == string(task) {
			byEpoch[row.Epoch] = append(byEpoch[row.Epoch], float64(row.Label-row.Human))
		}
	}
	if len(byEpoch) == 0 {
		return Chart{}, missing(run, fmt.Sprintf("pseudo-labels for %s", task))
	}
	epochs := sortedKeys(byEpoch)
	var names []string
	var boxes [][]any
	table := Table{Columns: []string{"epoch", "5 %", "25 %", "median", "75 %", "95 %"}}
	var q [5]float64
	for _, epoch := range stride(epochs, maxBoxes) {
		q = fiveQuantiles(byEpoch[epoch])
		names, boxes = append(names, fmt.Sprint(epoch)), append(boxes, shorts(q[:]...))
		table.Add(epoch, q[0], q[1], q[2], q[3], q[4])
	}
	c := newCanvas(namesX("epoch", names), numbersY("y_s − y_m"))
	c.series("boxplot", "y_s − y_m", boxes)
	c.single()
	return Chart{
		Name: "drift-" + string(task), Title: fmt.Sprintf("Drift of the pseudo-labels for %s", task),
		Says: "How far each example's own label for this modality has moved from the human label of all of it. Boxes hold half of the " +
			"training examples, whiskers 90 %. Momentum lets them move less from epoch to epoch.",
		Alt: fmt.Sprintf("Box plots of the pseudo-label minus the human label for %s over %d epochs. At the end half of the examples lie between %+.2f and %+.2f.",
			task, len(epochs), q[1], q[3]),
		Option: c, Table: table,
	}, nil
}

// fiveQuantiles are those of gates.jsonl: 5, 25, 50, 75 and 95 %. It sorts values.
func fiveQuantiles(values []float64) (q [5]float64) {
	slices.Sort(values)
	for i, p := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		q[i] = stat.Quantile(p, stat.Empirical, values, nil)
	}
	return q
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Trajectories follows the pseudo-labels of some examples through the epochs. Without ids it takes those that moved most.
// truth, where not nil, holds the unimodal truth of examples by id, as planted data have it.
func Trajectories(run *record.Reader, task mmiln.Task, truth map[string]float32, ids ...string) (Chart, error) {
	paths, human, err := labelPaths(run, task)
	if err != nil {
		return Chart{}, err
	}
	if len(ids) == 0 {
		ids = mostMoved(paths, human, 5)
	}
	c := newCanvas(epochsX(), numbersY("label"))
	var shown []string // their truths have the same colours
	for _, id := range ids {
		shown = append(shown, clipped(id, maxName))
	}
	c.Legend.Data = shown
	table := Table{Columns: []string{"id", "epoch", "y_s", "y_m"}}
	for i, id := range ids {
		if len(paths[id]) == 0 {
			return Chart{}, missing(run, fmt.Sprintf("pseudo-label for %s of the training example %q", task, id))
		}
		colour := coloured(i)
		c.line(id, paths[id], colour)
		if t, ok := truth[id]; ok {
			c.level("truth of "+id, float64(t), colour)
		}
		for _, p := range paths[id] {
			table.Add(id, int(p.x), p.y, cell(human[id]))
		}
	}
	return Chart{
		Name: "trajectories-" + string(task), Title: fmt.Sprintf("Pseudo-labels of single examples for %s", task),
		Says: "All start at the human label y_m. A line that crosses zero is a modality that was found to say the opposite of the " +
			"whole." + truthSays(truth),
		Alt:    fmt.Sprintf("Line chart of the pseudo-labels of %d examples for %s over epochs.", len(ids), task),
		Option: c, Table: table,
	}, nil
}

func truthSays(truth map[string]float32) string {
	if len(truth) == 0 {
		return ""
	}
	return " The level line of the same colour is the truth of the modality, which training never sees: the label should move towards it."
}

func labelPaths(run *record.Reader, task mmiln.Task) (paths map[string][]point, human map[string]float32, err error) {
	paths, human = map[string][]point{}, map[string]float32{}
	for row, err := range run.PseudoLabels() {
		if err != nil {
			return nil, nil, err
		}
		if row.Task == string(task) {
			paths[row.ID] = append(paths[row.ID], point{float64(row.Epoch), float64(row.Label)})
			human[row.ID] = row.Human
		}
	}
	if len(paths) == 0 {
		return nil, nil, missing(run, fmt.Sprintf("pseudo-labels for %s", task))
	}
	return paths, human, nil
}

// mostMoved lists the examples whose label ends farthest from y_m.
func mostMoved(paths map[string][]point, human map[string]float32, n int) []string {
	moved := func(id string) float64 {
		path := paths[id]
		return math.Abs(path[len(path)-1].y - float64(human[id]))
	}
	ids := sortedKeys(paths)
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(moved(b), moved(a)) })
	return ids[:min(n, len(ids))]
}

// Flips counts, epoch by epoch, the training examples whose pseudo-label has another sign than y_m.
func Flips(run *record.Reader) (Chart, error) {
	lines, tasks, err := ulgmLines(run)
	if err != nil {
		return Chart{}, err
	}
	last := lines[len(lines)-1]
	c := newCanvas(epochsX(), numbersY("training examples"))
	for _, task := range tasks {
		c.line("sign flips, "+string(task), overULGM(lines, func(l experiment.ULGMLine) float64 { return float64(l.Tasks[task].Flips) }))
	}
	table := Table{Columns: []string{"epoch", "task", "flips", "mean |y_s − y_m|", "guarded so far", "clipped so far"}}
	for _, l := range lines {
		for _, task := range tasks {
			table.Add(l.Epoch, string(task), l.Tasks[task].Flips, cell(l.Tasks[task].Drift), l.Guarded, l.Clipped[task])
		}
	}
	clipped := 0
	for _, n := range last.Clipped {
		clipped += n
	}
	return Chart{
		Name: "flips", Title: "Sign flips of the pseudo-labels",
		Says: fmt.Sprintf("How many examples have a modality that is labelled against the whole. Over all epochs the denominator of "+
			"Eq. (34) was guarded %d times and a label clipped %d times (R14).", last.Guarded, clipped),
		Alt:    fmt.Sprintf("Line chart of sign flips over %d epochs for %d tasks.", len(lines), len(tasks)),
		Option: c, Table: table,
	}, nil
}

// Recovery shows how well pseudo-labels agree with the unimodal truth that planted data know, beside how well y_m does.
func Recovery(run *record.Reader) (Chart, error) {
	lines, tasks, err := ulgmLines(run)
	if err != nil {
		return Chart{}, err
	}
	c := newCanvas(epochsX(), numbersY("correlation with the unimodal truth"))
	table := Table{Columns: []string{"epoch", "task", "y_s", "y_m"}}
	known := false
	for _, task := range tasks {
		known = known || !math.IsNaN(float64(lines[0].Tasks[task].Truth))
		c.line("y_s, "+string(task), overULGM(lines, func(l experiment.ULGMLine) float64 { return float64(l.Tasks[task].Truth) }))
		c.line("y_m, "+string(task), overULGM(lines, func(l experiment.ULGMLine) float64 { return float64(l.Tasks[task].MultimodalTruth) }))
		for _, l := range lines {
			table.Add(l.Epoch, string(task), cell(l.Tasks[task].Truth), cell(l.Tasks[task].MultimodalTruth))
		}
	}
	if !known {
		return Chart{}, missing(run, "unimodal truth: its data do not know it")
	}
	return Chart{
		Name: "recovery", Title: "Recovery of the unimodal truth",
		Says: "The generator never sees a unimodal label. Where y_s rises above the flat line of y_m, it has found something of the " +
			"modality's own truth.",
		Alt:    fmt.Sprintf("Line chart over %d epochs of the correlation between pseudo-labels and unimodal truth, for %d tasks.", len(lines), len(tasks)),
		Option: c, Table: table,
	}, nil
}

func ulgmLines(run *record.Reader) ([]experiment.ULGMLine, []mmiln.Task, error) {
	lines, err := record.Read[experiment.ULGMLine](run, record.ULGM)
	if err != nil {
		return nil, nil, err
	}
	if len(lines) == 0 || len(lines[0].Tasks) == 0 {
		return nil, nil, missing(run, "pseudo-labels in ulgm.jsonl")
	}
	return lines, sortedKeys(lines[0].Tasks), nil
}

func overULGM(lines []experiment.ULGMLine, of func(experiment.ULGMLine) float64) []point {
	points := make([]point, len(lines))
	for i, line := range lines {
		points[i] = point{float64(line.Epoch), of(line)}
	}
	return points
}
