// Package plan reads experiments: a TOML file says which models, in which variants, on which data sets, with which seeds and
// swept hyperparameters; expansion makes rows of it, each a resolved configuration.
package plan

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// File is an experiment as it is written. Its rows are models × variants × data sets; each setting is one that `mmiln train
// --set` takes, written as a table (set = {mmiln.layers = 2}). Later ones win: those of the file, the model, the data set, the
// variant, and what a search selected.
type File struct {
	Title      string         `toml:"title"`
	Reproduces string         `toml:"reproduces"` // what of the paper
	Cost       string         `toml:"cost"`       // on which machine
	Expect     string         `toml:"expect"`     // the result
	Seeds      []uint64       `toml:"seeds"`
	Metrics    []string       `toml:"metrics"`   // of the table; empty: those of the paper
	Reference  string         `toml:"reference"` // the row that all others are compared with; empty: the first
	Set        map[string]any `toml:"set"`       // for every row

	Data     []Data    `toml:"data"`
	Models   []Model   `toml:"model"`
	Variants []Variant `toml:"variant"` // none: each model as it is
	Tune     *Tune     `toml:"tune"`    // none: nothing is searched
	Beside   []Paper   `toml:"beside"`  // rows of the paper alone, of systems that are not among the models
	LeftOut  []LeftOut `toml:"left_out"`
}

// Data is a data set.
type Data struct {
	Name    string         `toml:"name" json:"name"`
	Dir     string         `toml:"dir" json:"dir"`
	Planted string         `toml:"planted" json:"planted,omitempty"` // demo, mosi or mosei: generated where the folder is not there
	Import  string         `toml:"import" json:"import,omitempty"`   // the command that makes it, said where it is not there
	Paper   string         `toml:"paper" json:"paper,omitempty"`     // MOSI or MOSEI: the paper's column; empty: nothing of the paper stands beside it
	Set     map[string]any `toml:"set" json:"-"`
}

// Model is a system with its base configuration: a shipped one's name, or a file.
type Model struct {
	Name   string         `toml:"name"`
	Config string         `toml:"config"`
	Data   []string       `toml:"data"` // names of the data sets it runs on; none: all
	Paper  *Paper         `toml:"paper"`
	Set    map[string]any `toml:"set"`
	Sweep  map[string]any `toml:"sweep"` // besides that of [tune]
}

// Variant changes a model.
type Variant struct {
	Name   string         `toml:"name"`
	Models []string       `toml:"models"` // names of those it applies to; none: all
	Paper  *Paper         `toml:"paper"`
	Set    map[string]any `toml:"set"`
}

// Paper names a row of the paper's tables, to stand beside a row of ours.
type Paper struct {
	Table int    `toml:"table" json:"table"` // 2 or 3
	Row   string `toml:"row" json:"row"`     // "MMILN", "Self-MM", "-MRM", …
}

// Tune is a search for hyperparameters, done for each row with the first seed. It sees training and validation data only.
type Tune struct {
	Method string         `toml:"method"` // grid, random or tpe
	Trials int            `toml:"trials"` // of random and tpe; a grid has as many as it has points
	Seed   uint64         `toml:"seed"`   // of the search itself
	Select string         `toml:"select"` // the metric of the validation split that selects; empty: mae
	Sweep  map[string]any `toml:"sweep"`  // key = [values], or key = {low = …, high = …, log = true, integer = true}
}

// LeftOut is what a reader would look for among the rows, and why it is not there.
type LeftOut struct {
	Name   string `toml:"name" json:"name"`
	Reason string `toml:"reason" json:"reason"`
}

//go:embed files/*.toml
var shipped embed.FS

// Shipped lists the names of the experiments that come with the program.
func Shipped() []string {
	paths, _ := fs.Glob(shipped, "files/*.toml") // the pattern is fixed and valid
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(path.Base(p), ".toml")
	}
	slices.Sort(paths)
	return paths
}

// Source returns the text of an experiment, a file or the name of one that is shipped, and the name that it gives.
func Source(nameOrPath string) (name string, text []byte, err error) {
	if slices.Contains(Shipped(), nameOrPath) {
		text, err = shipped.ReadFile("files/" + nameOrPath + ".toml")
		return nameOrPath, text, err
	}
	text, err = os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no experiment %q%s: give a TOML file or one of %s", nameOrPath, meant(nameOrPath, Shipped()), strings.Join(Shipped(), ", "))
	}
	return strings.TrimSuffix(filepath.Base(nameOrPath), ".toml"), text, err
}

// maxSource bounds an experiment's file; real ones have a few kilobytes.
const maxSource = 1 << 20

// Parse reads an experiment. An unknown key is an error with its line. Name stands in errors.
func Parse(name string, text []byte) (File, error) {
	var f File
	if len(text) > maxSource {
		return f, fmt.Errorf("%s has more than %d MiB; it is no experiment", name, maxSource>>20)
	}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f)
	var unknown *toml.StrictMissingError
	var invalid *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		row, column := unknown.Errors[0].Position()
		key := unknown.Errors[0].Key()
		return f, fmt.Errorf("%s, line %d, column %d: unknown key %s%s", name, row, column, strings.Join(key, "."), meant(strings.Join(key, "."), keys(reflect.TypeFor[File](), "")))
	case errors.As(err, &invalid):
		row, column := invalid.Position()
		return f, fmt.Errorf("%s, line %d, column %d: %s", name, row, column, strings.TrimPrefix(invalid.Error(), "toml: "))
	case err != nil:
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// configKeys are all that a setting may name.
var configKeys = keys(reflect.TypeFor[experiment.Config](), "")

// keys lists the dotted TOML keys of a struct's values.
func keys(of reflect.Type, prefix string) (all []string) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return []string{strings.TrimSuffix(prefix, ".")}
	}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("toml"), ",")
		all = append(all, keys(of.Field(i).Type, prefix+name+".")...)
	}
	return all
}
