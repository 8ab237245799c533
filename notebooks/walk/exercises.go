package walk

import "github.com/mmiln/workbench/mmiln/experiment"

// exercises compute the right answers, by chapter and number.
var exercises = map[string]func() (any, error){
	"00.1": func() (any, error) {
		return fromResult(func(r experiment.Result) any { return r.Constant.MAE - r.Test.MAE })
	},
	"00.2": func() (any, error) {
		return fromResult(func(r experiment.Result) any { return r.Epochs - r.BestEpoch })
	},
}

// fromResult reads an answer off the result of the walkthrough's run.
func fromResult(read func(experiment.Result) any) (any, error) {
	c, err := Config()
	if err != nil {
		return nil, err
	}
	result, err := Result(c)
	if err != nil {
		return nil, err
	}
	return read(result), nil
}
