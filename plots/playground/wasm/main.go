//go:build js && wasm

// Command wasm is the model in the page: it offers an exhibit to the page's script as globalThis.mmilnPlayground.
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall/js"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend

	"github.com/mmiln/workbench/plots/playground/exhibit"
	"github.com/mmiln/workbench/plots/playground/panel"
)

func main() {
	// Answers must be quick: what they leave behind is collected when the reader pauses, see compare.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(192 << 20)
	p := &program{}
	js.Global().Set("mmilnPlayground", map[string]any{
		"open": answer(p.open), "see": answer(p.see), "compare": answer(p.compare),
	})
	select {}
}

type program struct{ exhibit *exhibit.Exhibit }

// open takes the bundle, a Uint8Array.
func (p *program) open(bundle js.Value) (any, error) {
	content := make([]byte, bundle.Length())
	js.CopyBytesToGo(content, bundle)
	b, err := exhibit.Decode(content)
	if err != nil {
		return nil, err
	}
	backend, err := compute.NewWithConfig("go:ops_sequential")
	if err != nil {
		return nil, err
	}
	p.exhibit, err = exhibit.Open(b, backend)
	return b.Neutral(), err
}

func (p *program) see(controls js.Value) (any, error) {
	c, err := p.controls(controls)
	if err != nil {
		return nil, err
	}
	v, err := p.exhibit.See(c)
	if err != nil {
		return nil, err
	}
	return panel.Seen(v, c), nil
}

func (p *program) compare(controls js.Value) (any, error) {
	c, err := p.controls(controls)
	if err != nil {
		return nil, err
	}
	defer runtime.GC()
	r, err := p.exhibit.Compare(c)
	if err != nil {
		return nil, err
	}
	return panel.Compared(r), nil
}

func (p *program) controls(text js.Value) (c exhibit.Controls, err error) {
	if p.exhibit == nil {
		return c, fmt.Errorf("no model is open")
	}
	return c, json.Unmarshal([]byte(text.String()), &c)
}

// answer wraps a function of one argument; the script gets JSON: {"value": …} or {"error": "…"}.
func answer(f func(js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) (text any) {
		value, err := f(args[0])
		reply := map[string]any{"value": value}
		if err != nil {
			reply = map[string]any{"error": err.Error()}
		}
		encoded, err := json.Marshal(reply)
		if err != nil {
			return `{"error": "the answer cannot be written as JSON"}`
		}
		return string(encoded)
	})
}
