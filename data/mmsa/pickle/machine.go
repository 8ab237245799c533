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
var opcodes = map[byte]func(*machine){
	0x80: (*machine).protocol,
	0x95: func(m *machine) { m.length(8) }, // FRAME: how much to read at once
	'(':  (*machine).mark,
	'N':  func(m *machine) { m.push(nil) },
	0x88: func(m *machine) { m.push(true) },
	0x89: func(m *machine) { m.push(false) },
	'K':  func(m *machine) { m.push(int64(m.uint(1))) },
	'M':  func(m *machine) { m.push(int64(m.uint(2))) },
	'J':  func(m *machine) { m.push(int64(int32(m.uint(4)))) },
	0x8a: (*machine).long,
	'G':  (*machine).float,
	'X':  func(m *machine) { m.str(m.length(4)) },
	0x8c: func(m *machine) { m.str(m.length(1)) },
	0x8d: func(m *machine) { m.str(m.length(8)) },
	'B':  func(m *machine) { m.bytes(m.length(4)) },
	'C':  func(m *machine) { m.bytes(m.length(1)) },
	0x8e: func(m *machine) { m.bytes(m.length(8)) },
	0x96: func(m *machine) { m.bytes(m.length(8)) }, // BYTEARRAY8
	']':  func(m *machine) { m.push(&List{}) },
	'a':  func(m *machine) { m.append(m.pop(1)) },
	'e':  func(m *machine) { m.append(m.popMark()) },
	'}':  func(m *machine) { m.push(&Dict{}) },
	's':  func(m *machine) { m.setItems(m.pop(2)) },
	'u':  func(m *machine) { m.setItems(m.popMark()) },
	')':  func(m *machine) { m.tuple(nil) },
	0x85: func(m *machine) { m.tuple(m.pop(1)) },
	0x86: func(m *machine) { m.tuple(m.pop(2)) },
	0x87: func(m *machine) { m.tuple(m.pop(3)) },
	't':  func(m *machine) { m.tuple(m.popMark()) },
	'q':  func(m *machine) { m.put(m.uint(1)) },
	'r':  func(m *machine) { m.put(m.uint(4)) },
	0x94: func(m *machine) { m.put(uint64(len(m.memo))) },
	'h':  func(m *machine) { m.get(m.uint(1)) },
	'j':  func(m *machine) { m.get(m.uint(4)) },
	'c':  func(m *machine) { m.global(m.line(), m.line()) },
	0x93: (*machine).stackGlobal,
	'R':  (*machine).reduce,
	'b':  (*machine).build,
}

const stop = '.'

// refused names opcodes that data does not need, for the error.
var refused = map[byte]string{
	'P': "PERSID", 'Q': "BINPERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ",
	0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
	0x8b: "LONG4", 'U': "SHORT_BINSTRING", 'T': "BINSTRING", '0': "POP", '1': "POP_MARK", '2': "DUP", 'I': "INT", 'L': "LONG",
	'F': "FLOAT", 'S': "STRING", 'V': "UNICODE", 'd': "DICT", 'l': "LIST", 'p': "PUT", 'g': "GET",
}

// run returns the file's one value.
func (m *machine) run() (any, error) {
	for range maxOperations {
		at := m.position
		code := m.opcode()
		if m.err == nil && code == stop {
			if root := m.pop(1); m.err == nil {
				return root[0], nil
			}
		}
		if m.err == nil {
			m.execute(code, at)
		}
		if m.err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, m.err)
		}
	}
	return nil, fmt.Errorf("byte %d: more than %d operations; %s, with arrays in place of long lists", m.position, maxOperations, remedy)
}

func (m *machine) execute(code byte, at int64) {
	if at == 0 && code != 0x80 {
		m.fail("this is no pickle of protocol 2 or later, which would begin with byte 0x80; %s", remedy)
	} else if operation, ok := opcodes[code]; ok {
		operation(m)
	} else if name, ok := refused[code]; ok {
		m.fail("opcode %s is not allowed, since plain data does not need it; %s", name, remedy)
	} else {
		m.fail("0x%02x is no opcode; the file is damaged or no pickle: %s", code, again)
	}
}

func (m *machine) protocol() {
	if version := m.uint(1); version < 2 || version > 5 {
		m.fail("pickle protocol %d is not one of 2 to 5; %s", version, remedy)
	}
}

func (m *machine) mark() {
	if len(m.marks) == maxDepth {
		m.fail("values are nested deeper than %d; %s", maxDepth, remedy)
	}
	m.marks = append(m.marks, len(m.stack))
}

func (m *machine) push(v any) {
	if len(m.stack) == maxStack {
		m.fail("more than %d values are under way; %s, with arrays in place of long tuples", maxStack, remedy)
	}
	m.stack = append(m.stack, v)
}

// floor is the height of the last mark, below which nothing can be taken.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// pop takes the n topmost values, valid until the next push. Where there are fewer, it fails and returns n times nil.
func (m *machine) pop(n int) []any {
	start := len(m.stack) - n
	if start < m.floor() {
		m.fail("an operation lacks its values; the file is damaged: %s", again)
		return make([]any, n)
	}
	items := m.stack[start:]
	m.stack = m.stack[:start]
	return items
}

// popMark takes all above the last mark, and the mark.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		m.fail("an operation lacks its values; the file is damaged: %s", again)
		return nil
	}
	items := m.pop(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return items
}

// top is nil where there is none above the last mark.
func (m *machine) top() any {
	if len(m.stack) == m.floor() {
		return nil
	}
	return m.stack[len(m.stack)-1]
}

// long reads LONG1: a length, and that many bytes in two's complement.
func (m *machine) long() {
	n := m.uint(1)
	if n > 8 {
		m.fail("an integer of %d bytes does not fit 64 bits; %s", n, remedy)
		return
	}
	unused := 64 - 8*n
	m.push(int64(m.uint(int(n))<<unused) >> unused)
}

func (m *machine) float() {
	m.read(m.scratch[:])
	m.push(math.Float64frombits(binary.BigEndian.Uint64(m.scratch[:])))
}

// longString is a string that stays in the file: what protocol 2 makes of an array's bytes.
type longString struct{ Bytes }

func (m *machine) str(n int64) {
	if n > maxString {
		m.push(&longString{m.cut(n)})
		return
	}
	if m.text += n; m.text > maxText {
		m.fail("strings take more than %d bytes; %s", maxText, remedy)
		return
	}
	raw := make([]byte, n)
	if m.read(raw); !utf8.Valid(raw) {
		m.fail("a string is not UTF-8; the file is damaged: %s", again)
	}
	m.push(string(raw))
}

func (m *machine) bytes(n int64) {
	b := m.cut(n)
	m.push(&b)
}

func (m *machine) tuple(items []any) { m.push(&Tuple{Items: slices.Clone(items)}) }

func (m *machine) append(items []any) {
	if list, ok := m.top().(*List); ok {
		list.Items = append(list.Items, items...)
	} else {
		m.fail("items are added to %s, not to a list; %s", Kind(m.top()), remedy)
	}
}

func (m *machine) setItems(items []any) {
	dict, ok := m.top().(*Dict)
	if !ok || len(items)%2 != 0 {
		m.fail("%d keys and values are set in %s, not in a dict; %s", len(items), Kind(m.top()), remedy)
		return
	}
	for i := 0; i < len(items); i += 2 {
		dict.Keys = append(dict.Keys, items[i])
		dict.Values = append(dict.Values, items[i+1])
	}
}

func (m *machine) put(index uint64) {
	switch {
	case index > uint64(len(m.memo)):
		m.fail("memo entry %d comes after %d; the file was not written by Python's pickle: %s", index, len(m.memo), remedy)
	case index == maxMemo:
		m.fail("more than %d memo entries; %s, with arrays in place of long lists", maxMemo, remedy)
	case index == uint64(len(m.memo)):
		m.memo = append(m.memo, m.top())
	default:
		m.memo[index] = m.top()
	}
}

func (m *machine) get(index uint64) {
	if index >= uint64(len(m.memo)) {
		m.fail("memo entry %d of %d is asked for; the file is damaged: %s", index, len(m.memo), again)
		return
	}
	m.push(m.memo[index])
}
