package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Settings are the values of the configuration by dotted key ("mmiln.layers"), each as compact JSON. Lists are values; null
// and an empty list are the same.
func (m Manifest) Settings() (map[string]string, error) {
	settings := map[string]string{}
	if len(m.Config) == 0 {
		return settings, nil
	}
	if err := flatten("", m.Config, settings); err != nil {
		return nil, fmt.Errorf("record: the configuration in %s of %s: %w", manifestFile, m.Name, err)
	}
	return settings, nil
}

func flatten(key string, text json.RawMessage, to map[string]string) error {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			return err
		}
		to[key] = compact.String()
		if to[key] == "null" {
			to[key] = "[]"
		}
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	for name, value := range members {
		if key != "" {
			name = key + "." + name
		}
		if err := flatten(name, value, to); err != nil {
			return err
		}
	}
	return nil
}

// Setup is what makes two runs the same but for their seed: the settings without seed, name, expectations and where the data
// lie, and the hash of the data.
func (m Manifest) Setup() (map[string]string, error) {
	settings, err := m.Settings()
	if err != nil {
		return nil, err
	}
	for key := range settings {
		if slices.Contains([]string{"seed", "name", "data.dir", "expect"}, key) || strings.HasPrefix(key, "expect.") {
			delete(settings, key)
		}
	}
	settings["data_sha256"] = m.Data.Card
	return settings, nil
}
