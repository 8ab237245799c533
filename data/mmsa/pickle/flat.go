package pickle

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Strings returns the elements of a list, a tuple or an array of strings.
func Strings(v any) ([]string, error) {
	if a, ok := v.(*Array); ok && a.Type.isText() {
		return a.strings()
	}
	return collect(v, "strings", func(item any) (string, bool) {
		s, ok := item.(string)
		return s, ok
	})
}

// Numbers returns the elements of a list, a tuple or an array of numbers, row major.
func Numbers(v any) ([]float64, error) {
	if a, ok := v.(*Array); ok && a.Type.number() != nil {
		return a.numbers()
	}
	return collect(v, "numbers", func(item any) (float64, bool) {
		switch n := item.(type) {
		case float64:
			return n, true
		case int64:
			return float64(n), true
		}
		return 0, false
	})
}

func collect[T any](v any, what string, convert func(any) (T, bool)) ([]T, error) {
	items, ok := elements(v)
	if !ok {
		return nil, fmt.Errorf("%s is no list or array of %s", Kind(v), what)
	}
	all := make([]T, len(items))
	for i, item := range items {
		if all[i], ok = convert(item); !ok {
			return nil, fmt.Errorf("row %d is %s in a list or array of %s", i, Kind(item), what)
		}
	}
	return all, nil
}

func elements(v any) (items []any, ok bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case *Tuple:
		return v.Items, true
	case *Array:
		return v.Items, v.Type.Kind == 'O'
	}
	return nil, false
}

func (a *Array) numbers() ([]float64, error) {
	if a.Count() > maxElements {
		return nil, fmt.Errorf("%s has more than %d elements", Kind(a), maxElements)
	}
	flat := *a
	flat.Shape = []int{1, a.Count()}
	rows, err := flat.Rows()
	if err != nil {
		return nil, err
	}
	all := make([]float64, a.Count())
	if err := rows.Next(all); err != nil {
		return nil, err
	}
	if err := rows.end(); !errors.Is(err, io.EOF) {
		return nil, err
	}
	return all, nil
}

func (a *Array) strings() ([]string, error) {
	if a.Count() > maxElements {
		return nil, fmt.Errorf("%s has more than %d elements", Kind(a), maxElements)
	}
	raw, element := a.Raw(), make([]byte, a.Type.Size)
	all, text := make([]string, a.Count()), 0
	for i := range all {
		if _, err := io.ReadFull(raw, element); err != nil {
			return nil, cut(a, err)
		}
		s, err := a.Type.text(element)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		if text += len(s); text > maxText {
			return nil, fmt.Errorf("strings take more than %d bytes in %s", maxText, Kind(a))
		}
		all[i] = s
	}
	return all, nil
}

const runeSize = 4

func (t DType) isText() bool { return t.Kind == 'U' || t.Kind == 'S' }

// text decodes an element, which NumPy fills up with zeros.
func (t DType) text(raw []byte) (string, error) {
	var text strings.Builder
	if t.Kind == 'S' {
		text.Write(raw)
	}
	for ; t.Kind == 'U' && len(raw) > 0; raw = raw[runeSize:] {
		code := t.Order.Uint32(raw)
		if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return "", fmt.Errorf("a string holds code %#x, which is no character", code)
		}
		text.WriteRune(rune(code))
	}
	s := strings.TrimRight(text.String(), "\x00")
	if !utf8.ValidString(s) {
		return "", errors.New("a string is not UTF-8; decode it in Python before saving")
	}
	return s, nil
}

// value is an element on its own.
func (t DType) value(raw []byte) (any, error) {
	if t.isText() {
		return t.text(raw)
	}
	v := t.number()(raw)
	switch t.Kind {
	case 'b':
		return v != 0, nil
	case 'f':
		return v, nil
	}
	if int64(v) < -1<<53 || int64(v) > 1<<53 {
		return nil, fmt.Errorf("an integer of %g is too large", v)
	}
	return int64(v), nil
}
