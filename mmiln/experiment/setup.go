package experiment

import (
	"encoding/json"
	"fmt"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Settings are the values of a run's configuration by dotted key, as this build understands it: keys that a run is too old to
// have stand with their defaults.
func Settings(m record.Manifest) (map[string]string, error) {
	m, err := resolved(m)
	if err != nil {
		return nil, err
	}
	return m.Settings()
}

// Setup is what runs have in common that differ in nothing but their seed, see [record.Manifest.Setup], of [Settings].
func Setup(m record.Manifest) (map[string]string, error) {
	m, err := resolved(m)
	if err != nil {
		return nil, err
	}
	return m.Setup()
}

func resolved(m record.Manifest) (record.Manifest, error) {
	if len(m.Config) == 0 {
		return m, nil
	}
	c, err := ConfigIn(m)
	if err == nil {
		m.Config, err = json.Marshal(c)
	}
	return m, err
}

// ConfigIn is the configuration of a run as run.json has it, over the defaults.
func ConfigIn(m record.Manifest) (Config, error) {
	c := Default()
	if err := json.Unmarshal(m.Config, &c); err != nil {
		return c, fmt.Errorf("the configuration in run.json of %s: %w", m.Name, err)
	}
	return c, nil
}

// ResultOf is what a run came to; an error where it has not finished.
func ResultOf(m record.Manifest) (r Result, err error) {
	if m.Status != record.Finished {
		return r, fmt.Errorf("%s is %s and has no result", m.Name, m.Status)
	}
	if err := json.Unmarshal(m.Result, &r); err != nil {
		return r, fmt.Errorf("the result in run.json of %s: %w", m.Name, err)
	}
	return r, nil
}
