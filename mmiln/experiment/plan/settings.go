package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

// reserved keys have another place.
var reserved = map[string]string{
	"seed":         "list it in seeds",
	"name":         "rows are named by their model, variant and data set",
	"data.dir":     "write it as dir of the [[data]]",
	"train.sealed": "the search sets it",
}

// settings turns a table into "key=value", in order of key.
func settings(table map[string]any) ([]string, error) {
	flat := map[string]any{}
	flatten("", table, flat, func(map[string]any) bool { return false })
	var all []string
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if err := checkKey(key); err != nil {
			return nil, err
		}
		value, err := json.Marshal(flat[key]) // strings, numbers, booleans and lists of them are written alike in TOML
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		all = append(all, key+"="+string(value))
	}
	return all, nil
}

// flatten writes the leaves of nested tables by dotted key.
func flatten(prefix string, table map[string]any, to map[string]any, leaf func(map[string]any) bool) {
	for key, value := range table {
		if inner, ok := value.(map[string]any); ok && !leaf(inner) {
			flatten(prefix+key+".", inner, to, leaf)
			continue
		}
		to[prefix+key] = value
	}
}

func checkKey(key string) error {
	if remedy, ok := reserved[key]; ok {
		return fmt.Errorf("%s cannot be set here: %s", key, remedy)
	}
	if !slices.Contains(configKeys, key) && !strings.HasPrefix(key, "expect.") {
		return fmt.Errorf("unknown key %s%s (`mmiln config demo --resolved` prints every key there is)", key, meant(key, configKeys))
	}
	return nil
}

// space reads swept parameters, in order of key.
func space(tables ...map[string]any) (tune.Space, error) {
	var all tune.Space
	for _, table := range tables {
		flat := map[string]any{}
		flatten("", table, flat, isRange)
		for _, key := range slices.Sorted(maps.Keys(flat)) {
			if err := checkKey(key); err != nil {
				return nil, fmt.Errorf("sweep: %w", err)
			}
			p, err := parameter(key, flat[key])
			if err == nil {
				err = p.Validate()
			}
			if err != nil {
				return nil, fmt.Errorf("sweep: %w", err)
			}
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b tune.Parameter) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

// isRange tells a range from a table of further keys.
func isRange(table map[string]any) bool {
	_, low := table["low"]
	_, high := table["high"]
	return low || high
}

func parameter(key string, value any) (p tune.Parameter, err error) {
	p.Key = key
	switch v := value.(type) {
	case []any:
		p.Values = v
		return p, nil
	case map[string]any:
		return ranged(key, v)
	}
	return p, fmt.Errorf("%s is %v; write a list of values, or a range {low = …, high = …}", key, value)
}

func ranged(key string, table map[string]any) (p tune.Parameter, err error) {
	p.Key = key
	for _, name := range slices.Sorted(maps.Keys(table)) {
		var ok bool
		switch name {
		case "low":
			p.Low, ok = float(table[name])
		case "high":
			p.High, ok = float(table[name])
		case "log":
			p.Log, ok = table[name].(bool)
		case "integer":
			p.Integer, ok = table[name].(bool)
		default:
			return p, fmt.Errorf("%s: unknown key %s%s of a range, which has low, high, log and integer", key, name, meant(name, []string{"low", "high", "log", "integer"}))
		}
		if !ok {
			return p, fmt.Errorf("%s: %s is %v; low and high are numbers, log and integer true or false", key, name, table[name])
		}
	}
	if len(table) < 2 || table["low"] == nil || table["high"] == nil {
		return p, fmt.Errorf("%s is a range with one end; give low and high", key)
	}
	return p, nil
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	}
	return 0, false
}
