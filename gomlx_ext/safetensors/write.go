package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// Write writes f. The same content gives the same bytes: the header is sorted by name and padded to a multiple of 8; values
// follow from the widest type to the narrowest, by name within one width, so that every tensor is aligned. Nothing is written
// when f does not hold together.
func Write(w io.Writer, f *File) error {
	for name, t := range f.Tensors {
		if name == metadataKey || !utf8.ValidString(name) {
			return fmt.Errorf("safetensors: %q cannot name a tensor", name)
		}
		if err := t.checkNamed(name); err != nil {
			return err
		}
	}
	names := slices.SortedFunc(maps.Keys(f.Tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(widths[f.Tensors[b].DType], widths[f.Tensors[a].DType]), cmp.Compare(a, b))
	})
	head, err := f.header(names)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	for _, name := range names {
		if _, err := w.Write(f.Tensors[name].Data); err != nil {
			return fmt.Errorf("safetensors: %w", err)
		}
	}
	return nil
}

// header is the length and the header of f, with values in the order of names.
func (f *File) header(names []string) ([]byte, error) {
	type description struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	members := map[string]any{}
	at := 0
	for _, name := range names {
		t := f.Tensors[name]
		members[name] = description{t.DType, append([]int{}, t.Shape...), [2]int{at, at + len(t.Data)}}
		at += len(t.Data)
	}
	if len(f.Metadata) > 0 {
		for key, value := range f.Metadata {
			if !utf8.ValidString(key) || !utf8.ValidString(value) {
				return nil, fmt.Errorf("safetensors: metadata %q is not UTF-8", key)
			}
		}
		members[metadataKey] = f.Metadata
	}
	text, err := json.Marshal(members) // sorts the names
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return nil, errors.New("safetensors: the header would exceed the format's limit")
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
