package planted

import (
	"encoding/json"

	"github.com/mmiln/workbench/data"
)

// Save generates the set into a folder that must not exist, one example at a time.
func (c Config) Save(dir string) (data.Card, error) {
	if err := c.Validate(); err != nil {
		return data.Card{}, err
	}
	note, err := json.Marshal(c)
	if err != nil {
		return data.Card{}, err
	}
	w, err := data.Create(dir, data.Source{Format: "planted", Note: string(note), Width: c.Width, Limit: limit})
	if err != nil {
		return data.Card{}, err
	}
	defer w.Abort()
	g := newGenerator(c)
	for i, name := range data.Splits {
		for row := range c.sizes()[i] {
			if err := w.Add(name, g.example(i, row)); err != nil {
				return data.Card{}, err
			}
		}
	}
	return w.Close()
}
