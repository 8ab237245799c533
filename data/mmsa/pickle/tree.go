package pickle

import "fmt"

// container is what holds other values.
type container interface {
	children() (keys, values []any)
	state() *int // the height of what it holds, once known; 0 before, underway meanwhile
}

const underway = -1

type node struct{ height int }

func (n *node) state() *int { return &n.height }

func (l *List) children() (keys, values []any)  { return nil, l.Items }
func (t *Tuple) children() (keys, values []any) { return nil, t.Items }
func (d *Dict) children() (keys, values []any)  { return d.Keys, d.Values }
func (a *Array) children() (keys, values []any) { return nil, a.Items }

// checkTree promises that whoever walks a value comes to an end, and finds only arrays that are complete. It returns the
// height of what v holds.
func checkTree(v any, depth int) (height int, err error) {
	holder, ok := v.(container)
	if !ok {
		return 0, nil
	}
	if a, ok := v.(*Array); ok && a.Shape == nil {
		return 0, fmt.Errorf("an array has no contents; %s", remedy)
	}
	known := holder.state()
	if *known == underway {
		return 0, fmt.Errorf("a %s contains itself; %s", Kind(v), remedy)
	}
	if *known == 0 {
		*known = underway
		if height, err = checkChildren(holder, depth+1); err != nil {
			return 0, err
		}
		*known = height + 1
	}
	if depth+*known > maxDepth {
		return 0, fmt.Errorf("values are nested deeper than %d; %s", maxDepth, remedy)
	}
	return *known, nil
}

func checkChildren(holder container, depth int) (height int, err error) {
	if depth > maxDepth {
		return 0, fmt.Errorf("values are nested deeper than %d; %s", maxDepth, remedy)
	}
	keys, values := holder.children()
	for _, key := range keys {
		below, err := checkTree(key, depth)
		if err != nil {
			return 0, err
		}
		height = max(height, below)
	}
	for i, value := range values {
		below, err := checkTree(value, depth)
		if err != nil && keys != nil {
			return 0, fmt.Errorf("under %s: %w", Kind(keys[i]), err)
		} else if err != nil {
			return 0, err
		}
		height = max(height, below)
	}
	return height, nil
}
