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
	c := Default()
	if len(m.Config) == 0 {
		return m, nil
	}
	err := json.Unmarshal(m.Config, &c)
	if err == nil {
		m.Config, err = json.Marshal(c)
	}
	if err != nil {
		err = fmt.Errorf("the configuration in run.json of %s: %w", m.Name, err)
	}
	return m, err
}
