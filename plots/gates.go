package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Gates shows how open each gate is on validation, layer × modality × epoch: Eqs. (8), (9), (17), (19) and (20).
func Gates(run *record.Reader) (Chart, error) {
	lines, names, err := gateLines(run)
	if err != nil {
		return Chart{}, err
	}
	var epochs, titles []string
	for _, name := range names {
		titles = append(titles, gateTitle(name))
	}
	var cells [][3]any
	table := Table{Columns: []string{"epoch", "gate", "mean", "std"}}
	for _, line := range lines {
		at := fmt.Sprint(line.Epoch)
		if len(epochs) == 0 || epochs[len(epochs)-1] != at {
			epochs = append(epochs, at)
		}
		cells = append(cells, [3]any{len(epochs) - 1, slices.Index(names, line.Gate), short(line.Mean)})
		table.Add(line.Epoch, line.Gate, cell(line.Mean), cell(line.Std))
	}
	y := namesY("", titles)
	y.AxisLabel = &opts.AxisLabel{Interval: "0"}
	c := newCanvas(namesX("epoch", epochs), y)
	low, high := around(lines)
	c.heat("mean gate", cells, low, high)
	last := lines[len(lines)-len(names):]
	most := slices.MaxFunc(last, byMean)
	least := slices.MinFunc(last, byMean)
	return Chart{
		Name: "gates", Title: "Gates by layer, modality and epoch", Height: 120 + 22*len(names),
		Says: "Each row is a gate, each column an epoch, the colour how open the gate is on average over validation (0 shut, 1 open; the scale " +
			"shows only what occurs). All begin near one half; rows that change are gates that learned something.",
		Alt: fmt.Sprintf("Heat map of %d gates over %d epochs. At the end the most open gate is %s with %.2f, the least open %s with %.2f.",
			len(names), len(epochs), gateTitle(most.Gate), most.Mean, gateTitle(least.Gate), least.Mean),
		Option: c, Table: table,
	}, nil
}

// around is a range with one half in its middle that holds every mean.
func around(lines []experiment.GateLine) (low, high float64) {
	half := 0.05
	for _, line := range lines {
		half = max(half, math.Ceil(20*math.Abs(line.Mean-0.5))/20)
	}
	return 0.5 - half, 0.5 + half
}

// GateSpread shows how each gate's values spread over examples and channels, at the epoch whose weights were kept.
func GateSpread(run *record.Reader) (Chart, error) {
	lines, names, err := gateLines(run)
	if err != nil {
		return Chart{}, err
	}
	epoch := lines[len(lines)-1].Epoch
	if result, err := experiment.ResultOf(run.Manifest()); err == nil {
		epoch = result.BestEpoch
	}
	lines = slices.DeleteFunc(lines, func(l experiment.GateLine) bool { return l.Epoch != epoch })
	if len(lines) == 0 {
		return Chart{}, missing(run, fmt.Sprintf("gates of epoch %d", epoch))
	}
	var titles []string
	var boxes [][]any
	table := Table{Columns: []string{"gate", "epoch", "5 %", "25 %", "median", "75 %", "95 %"}}
	for _, line := range lines {
		titles = append(titles, gateTitle(line.Gate))
		q := line.Quantiles
		boxes = append(boxes, shorts(q[0], q[1], q[2], q[3], q[4]))
		table.Add(line.Gate, line.Epoch, q[0], q[1], q[2], q[3], q[4])
	}
	x := numbersX("gate, 0 shut to 1 open")
	x.Min, x.Max = 0, 1
	y := namesY("", titles)
	y.AxisLabel = &opts.AxisLabel{Interval: "0"}
	c := newCanvas(x, y)
	c.series("boxplot", "gates", boxes)
	c.single()
	return Chart{
		Name: "gate-spread", Title: fmt.Sprintf("Spread of each gate at epoch %d", epoch), Height: 90 + 22*len(names),
		Says: "Boxes hold the middle half of all examples and channels, whiskers reach from 5 to 95 %. A wide box is a gate that " +
			"tells examples or channels apart; a narrow one in the middle does next to nothing.",
		Alt:    fmt.Sprintf("Box plot of %d gates at epoch %d, values between 0 and 1.", len(lines), epoch),
		Option: c, Table: table,
	}, nil
}

func byMean(a, b experiment.GateLine) int {
	switch {
	case a.Mean < b.Mean:
		return -1
	case a.Mean > b.Mean:
		return 1
	}
	return 0
}

// gateLines reads gates.jsonl, and the gates' names in the order of the network.
func gateLines(run *record.Reader) (lines []experiment.GateLine, names []string, err error) {
	if lines, err = record.Read[experiment.GateLine](run, record.Gates); err != nil {
		return nil, nil, err
	}
	if len(lines) == 0 {
		return nil, nil, missing(run, "gates in gates.jsonl")
	}
	for _, line := range lines {
		if !slices.Contains(names, line.Gate) {
			names = append(names, line.Gate)
		}
	}
	return lines, names, nil
}

// gateTitle turns a tap's name, layers.<i>.<gate or sag>.<modality>.<tap>, into the paper's notation. Other names stay.
func gateTitle(tap string) string {
	parts := strings.Split(tap, ".")
	if len(parts) != 5 || len(parts[1]) != 1 || parts[3] == "" {
		return tap
	}
	stream := parts[3][:1] // a or v
	if parts[2] == "sag" {
		stream = "t" + stream
	}
	return fmt.Sprintf("layer %c  %-2s  %s", parts[1][0]+1, stream, parts[4])
}
