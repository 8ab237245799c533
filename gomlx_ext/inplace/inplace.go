// Package inplace lets XLA write what a graph makes of a variable over what the variable was.
//
// GoMLX hands over the memory of the variables that a graph changes, but XLA is not told so when it compiles: it gives every output
// memory of its own, and a step of Adam holds weights and moments twice. [Variables] marks their parameters as jax does, as donors;
// XLA then gives each new value the place of an old one of its shape.
//
// The mark belongs to a value that go-xla keeps to itself, and is set by reflection. Where a version of GoMLX or go-xla keeps it
// elsewhere, and on other backends, nothing is marked: the results are the same.
package inplace

import (
	"reflect"
	"unsafe"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Variables marks the variables of a store that g changes, as far as it is built, and returns how many it could mark.
func Variables(store *model.Store, g *graph.Graph) int {
	marked := 0
	for v := range store.IterVariables() {
		if v.ChangedInGraph(g) && mark(g.GetParameterByName(v.Path())) {
			marked++
		}
	}
	return marked
}

// mark makes a parameter a donor: parameter.outputOps[0].(*xla.Node).value.Attributes["jax.buffer_donor"] = true.
func mark(parameter *graph.Node) bool {
	outputs := field(reflect.ValueOf(parameter), "outputOps")
	if outputs.Kind() != reflect.Slice || outputs.Len() != 1 {
		return false
	}
	attributes := field(field(outputs.Index(0), "value"), "Attributes")
	if !attributes.IsValid() || attributes.Type() != reflect.TypeFor[map[string]any]() {
		return false
	}
	held := (*map[string]any)(unsafe.Pointer(attributes.UnsafeAddr()))
	if *held == nil {
		*held = map[string]any{}
	}
	(*held)["jax.buffer_donor"] = true
	return true
}

// field is the field of the struct that v points to, directly or as an interface; invalid where there is no such field.
func field(v reflect.Value, name string) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}
