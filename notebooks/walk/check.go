package walk

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// Check says whether an answer to an exercise is right. The right answer is computed when it is asked for, by the code that the
// chapter is about; see exercises. Numbers may be off by a thousandth of their size, words may be in any case, and nil stands
// for no answer yet.
func Check(id string, answer any) {
	if err := check(os.Stdout, id, answer); err != nil {
		fmt.Println(err)
	}
}

func check(w io.Writer, id string, answer any) error {
	compute, ok := exercises[id]
	if !ok {
		return fmt.Errorf("there is no exercise %s", id)
	}
	if answer == nil {
		fmt.Fprintf(w, "%s: not answered yet; put your answer in the place of nil\n", id)
		return nil
	}
	want, err := compute()
	if err != nil {
		return fmt.Errorf("%s cannot be checked: %w", id, err)
	}
	if same(want, answer) {
		fmt.Fprintf(w, "%s: %v is right\n", id, answer)
	} else {
		fmt.Fprintf(w, "%s: %v is not right\n", id, answer)
	}
	return nil
}

// same compares an answer of any number type, or a word, with the right one.
func same(want, answer any) bool {
	a, isNumber := number(answer)
	b, wantsNumber := number(want)
	if isNumber && wantsNumber {
		return math.Abs(a-b) <= 1e-3*math.Max(math.Abs(b), 1e-2)
	}
	return isNumber == wantsNumber && strings.EqualFold(strings.TrimSpace(fmt.Sprint(want)), strings.TrimSpace(fmt.Sprint(answer)))
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float32:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
