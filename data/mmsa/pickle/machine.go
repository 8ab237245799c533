package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// machine is the pickle machine without what it can execute: a stack of values, and a memo of those met before.
type machine struct {
	stream
	stack []any
	marks []int // heights of the stack
	memo  []any
	text  int64 // bytes of strings kept
}

// opcodes are those that data needs.
var opcodes = map[byte]func(*machine) error{
	0x80: (*machine).protocol,
	0x95: (*machine).frame,
	'(':  (*machine).mark,
	'N':  constant(nil),
	0x88: constant(true),
	0x89: constant(false),
	'K':  unsigned(1),
	'M':  unsigned(2),
	'J':  (*machine).int32,
	0x8a: (*machine).long,
	'G':  (*machine).float,
	'X':  str(4),
	0x8c: str(1),
	0x8d: str(8),
	'B':  section(4),
	'C':  section(1),
	0x8e: section(8),
	0x96: section(8), // BYTEARRAY8
	']':  func(m *machine) error { return m.push(&List{}) },
	'a':  func(m *machine) error { return m.append(1) },
	'e':  func(m *machine) error { return m.append(-1) },
	'}':  func(m *machine) error { return m.push(&Dict{}) },
	's':  func(m *machine) error { return m.setItems(2) },
	'u':  func(m *machine) error { return m.setItems(-1) },
	')':  tuple(0),
	0x85: tuple(1),
	0x86: tuple(2),
	0x87: tuple(3),
	't':  tuple(-1),
	'q':  put(1),
	'r':  put(4),
	0x94: func(m *machine) error { return m.remember(uint64(len(m.memo))) },
	'h':  get(1),
	'j':  get(4),
	'c':  (*machine).global,
	0x93: (*machine).stackGlobal,
	'R':  (*machine).reduce,
	'b':  (*machine).build,
}

// refused names opcodes that data does not need, for the error.
var refused = map[byte]string{
	'P': "PERSID", 'Q': "BINPERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ",
	0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
	0x8b: "LONG4", 'U': "SHORT_BINSTRING", 'T': "BINSTRING", '0': "POP", '1': "POP_MARK", '2': "DUP", 'I': "INT", 'L': "LONG",
	'F': "FLOAT", 'S': "STRING", 'V': "UNICODE", 'd': "DICT", 'l': "LIST", 'p': "PUT", 'g': "GET",
}

const stop = '.'

// run returns the file's one value.
func (m *machine) run() (any, error) {
	for range maxOperations {
		at := m.position
		code, err := m.byte()
		if err == nil && code == stop {
			return m.pop()
		}
		if err == nil {
			err = m.execute(code, at)
		}
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, err)
		}
	}
	return nil, fmt.Errorf("byte %d: more than %d operations; %s, with arrays in place of long lists", m.position, maxOperations, remedy)
}

func (m *machine) execute(code byte, at int64) error {
	if at == 0 && code != 0x80 {
		return fmt.Errorf("this is no pickle of protocol 2 or later, which would begin with byte 0x80; %s", remedy)
	}
	if operation, ok := opcodes[code]; ok {
		return operation(m)
	}
	if name, ok := refused[code]; ok {
		return fmt.Errorf("opcode %s is not allowed, since plain data does not need it; %s", name, remedy)
	}
	return fmt.Errorf("0x%02x is no opcode; the file is damaged or no pickle: copy or download it again", code)
}

func (m *machine) protocol() error {
	version, err := m.uint(1)
	if err == nil && (version < 2 || version > 5) {
		err = fmt.Errorf("pickle protocol %d is not one of 2 to 5; %s", version, remedy)
	}
	return err
}

// frame only says how much to read at once.
func (m *machine) frame() error {
	_, err := m.length(8)
	return err
}

func (m *machine) mark() error {
	if len(m.marks) == maxDepth {
		return fmt.Errorf("values are nested deeper than %d; %s", maxDepth, remedy)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("more than %d values are under way; %s, with arrays in place of long tuples", maxStack, remedy)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pop does not reach below the last mark.
func (m *machine) pop() (any, error) {
	items, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popN returns the n topmost values, or all above the last mark where n is -1, valid until the next push.
func (m *machine) popN(n int) ([]any, error) {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	start := len(m.stack) - n
	if n < 0 {
		start = floor
	}
	if start < floor || n < 0 && len(m.marks) == 0 {
		return nil, fmt.Errorf("an operation lacks its values; the file is damaged: copy or download it again")
	}
	if n < 0 {
		m.marks = m.marks[:len(m.marks)-1]
	}
	items := m.stack[start:]
	m.stack = m.stack[:start]
	return items, nil
}

func constant(v any) func(*machine) error {
	return func(m *machine) error { return m.push(v) }
}

func unsigned(width int) func(*machine) error {
	return func(m *machine) error {
		v, err := m.uint(width)
		if err != nil {
			return err
		}
		return m.push(int64(v))
	}
}

func (m *machine) int32() error {
	v, err := m.uint(4)
	if err != nil {
		return err
	}
	return m.push(int64(int32(v)))
}

// long reads LONG1: a length, and that many bytes in two's complement.
func (m *machine) long() error {
	n, err := m.uint(1)
	if err != nil {
		return err
	}
	if n > 8 {
		return fmt.Errorf("an integer of %d bytes does not fit 64 bits; %s", n, remedy)
	}
	v, err := m.uint(int(n))
	if err != nil {
		return err
	}
	unused := 64 - 8*n
	return m.push(int64(v<<unused) >> unused)
}

func (m *machine) float() error {
	var raw [8]byte
	if err := m.read(raw[:]); err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(raw[:])))
}

// longString is a string that stays in the file: what protocol 2 makes of an array's bytes.
type longString struct{ Bytes }

func str(width int) func(*machine) error {
	return func(m *machine) error {
		n, err := m.length(width)
		if err != nil {
			return err
		}
		if n > maxString {
			return m.push(&longString{m.cut(n)})
		}
		if m.text += n; m.text > maxText {
			return fmt.Errorf("strings take more than %d bytes; %s", maxText, remedy)
		}
		raw := make([]byte, n)
		if err := m.read(raw); err != nil {
			return err
		}
		if !utf8.Valid(raw) {
			return fmt.Errorf("a string is not UTF-8; the file is damaged: copy or download it again")
		}
		return m.push(string(raw))
	}
}

func section(width int) func(*machine) error {
	return func(m *machine) error {
		n, err := m.length(width)
		if err != nil {
			return err
		}
		b := m.cut(n)
		return m.push(&b)
	}
}

func tuple(n int) func(*machine) error {
	return func(m *machine) error {
		items, err := m.popN(n)
		if err != nil {
			return err
		}
		return m.push(&Tuple{Items: slices.Clone(items)})
	}
}

func (m *machine) append(n int) error {
	items, err := m.popN(n)
	if err != nil {
		return err
	}
	list, ok := m.top().(*List)
	if !ok {
		return fmt.Errorf("items are added to %s, not to a list; %s", Kind(m.top()), remedy)
	}
	list.Items = append(list.Items, items...)
	return nil
}

func (m *machine) setItems(n int) error {
	items, err := m.popN(n)
	if err != nil {
		return err
	}
	dict, ok := m.top().(*Dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("%d keys and values are set in %s, not in a dict; %s", len(items), Kind(m.top()), remedy)
	}
	for i := 0; i < len(items); i += 2 {
		dict.Keys = append(dict.Keys, items[i])
		dict.Values = append(dict.Values, items[i+1])
	}
	return nil
}

// top is nil where there is none above the last mark.
func (m *machine) top() any {
	if len(m.stack) == 0 || len(m.marks) > 0 && m.marks[len(m.marks)-1] == len(m.stack) {
		return nil
	}
	return m.stack[len(m.stack)-1]
}

func put(width int) func(*machine) error {
	return func(m *machine) error {
		index, err := m.uint(width)
		if err != nil {
			return err
		}
		return m.remember(index)
	}
}

func (m *machine) remember(index uint64) error {
	switch {
	case index > uint64(len(m.memo)):
		return fmt.Errorf("memo entry %d comes after %d; the file was not written by Python's pickle: %s", index, len(m.memo), remedy)
	case index == maxMemo:
		return fmt.Errorf("more than %d memo entries; %s, with arrays in place of long lists", maxMemo, remedy)
	case index == uint64(len(m.memo)):
		m.memo = append(m.memo, nil)
	}
	m.memo[index] = m.top()
	return nil
}

func get(width int) func(*machine) error {
	return func(m *machine) error {
		index, err := m.uint(width)
		if err != nil {
			return err
		}
		if index >= uint64(len(m.memo)) {
			return fmt.Errorf("memo entry %d of %d is asked for; the file is damaged: copy or download it again", index, len(m.memo))
		}
		return m.push(m.memo[index])
	}
}
