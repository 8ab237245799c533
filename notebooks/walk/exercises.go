package walk

import (
	"strings"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
)

// exercises compute the right answers, by chapter and number.
var exercises = map[string]func() (any, error){
	"00.1": func() (any, error) {
		return ofResult(func(r experiment.Result) any { return r.Constant.MAE - r.Test.MAE })
	},
	"00.2": func() (any, error) { return ofResult(func(r experiment.Result) any { return r.Epochs - r.BestEpoch }) },
	"01.1": func() (any, error) { return planted.Score([]string{"not", "very", "good"}), nil },
	"01.2": func() (any, error) { return planted.Demo().Label([3]float32{2, -1, -1}), nil },
	"02.1": func() (any, error) { return weights("conv.audio.") },
	"02.2": narrowConvolution,
	"03.1": func() (any, error) { return weights("layers.0.gate.audio.retain.") },
	"03.2": func() (any, error) { return effect(map[string]float64{"layers.0.gate.audio.g_c": 0}) },
	"04.1": attended,
	"04.2": func() (any, error) { return weights("layers.", ".select.") },
	"05.1": func() (any, error) { return discrepancy(2, 2) },
	"05.2": func() (any, error) { return discrepancy(2, 1) },
	"06.1": func() (any, error) { return relabelled(1, 1, 2), nil },
	"06.2": func() (any, error) { return newShare(3), nil },
	"07.1": func() (any, error) { return squaredMinusAbsolute(.5) },
	"07.2": func() (any, error) { return ofConfig(func(c mmiln.Config) any { return 1 + 2*c.Alpha + 3*c.Beta }) },
	"08.1": func() (any, error) { return paperDifference("MMILN", "Self-MM", paper.MOSI, "mae") },
	"08.2": func() (any, error) { return ablationsAbove("has0_acc2"), nil },
	"09.1": func() (any, error) { return planted.Score(strings.Fields("the story is not bad")), nil },
	"09.2": func() (any, error) { return wrongSigns(), nil },
	"10.1": func() (any, error) { return alternatives(), nil },
	"10.2": func() (any, error) { return weightsOf("mmiln.readings.gate_bias=false") },
}

// ofResult reads an answer off the result of the walkthrough's run.
func ofResult(read func(experiment.Result) any) (any, error) {
	c, err := Config()
	if err != nil {
		return nil, err
	}
	result, err := Result(c)
	return read(result), err
}

// ofConfig reads an answer off the walkthrough's configuration.
func ofConfig(read func(mmiln.Config) any) (any, error) {
	c, err := Config()
	return read(c.MMILN), err
}

// weights counts what the trained model has under names that begin so and have all of the given parts.
func weights(prefix string, parts ...string) (any, error) {
	tensors, err := exported()
	n := 0
	for name, tensor := range tensors {
		has := strings.HasPrefix(name, prefix)
		for _, part := range parts {
			has = has && strings.Contains(name, part)
		}
		if has {
			n += size(tensor)
		}
	}
	return n, err
}

func exported() (map[string]safetensors.Tensor, error) {
	c, err := Config()
	if err != nil {
		return nil, err
	}
	run, err := Run(c)
	if err != nil {
		return nil, err
	}
	file, err := experiment.Export(run.Dir())
	if err != nil {
		return nil, err
	}
	return file.Tensors, nil
}

func size(t safetensors.Tensor) int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// narrowConvolution takes the weights of two of the three steps away from those that there are.
func narrowConvolution() (any, error) {
	tensors, err := exported()
	total := 0
	for name, tensor := range tensors {
		if !strings.HasPrefix(name, "conv.audio.") {
			continue
		}
		if n := size(tensor); len(tensor.Shape) > 1 {
			total += n / mmiln.Default().Readings.Kernel
		} else {
			total += n
		}
	}
	return total, err
}

// effect is how far the first example's prediction moves when gates are put by hand.
func effect(gates map[string]float64) (any, error) {
	c, err := Planted()
	if err != nil {
		return nil, err
	}
	bundle, e, err := Exhibit(c)
	if err != nil {
		return nil, err
	}
	var said [2]float64
	for i, moved := range []map[string]float64{nil, gates} {
		controls := bundle.Neutral()
		controls.Gates = moved
		view, err := e.See(controls)
		if err != nil {
			return nil, err
		}
		said[i] = float64(view.Predictions[mmiln.Multimodal])
	}
	return said[1] - said[0], nil
}
