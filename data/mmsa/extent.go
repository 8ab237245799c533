package mmsa

import "github.com/mmiln/workbench/data"

// extent is the steps [from, to) of an array's row that a sequence takes.
type extent struct{ from, to int }

// zeros counts the steps of zeros at both ends of a row. A row of zeros has all of them at both.
func zeros(row []float64, width int) (front, end, steps int) {
	steps = len(row) / width
	for front < steps && isZero(row[front*width:(front+1)*width]) {
		front++
	}
	for end < steps && isZero(row[(steps-end-1)*width:(steps-end)*width]) {
		end++
	}
	return front, end, steps
}

func isZero(step []float64) bool {
	for _, v := range step {
		if v != 0 && v-v == 0 { // what is not finite counts as 0
			return false
		}
	}
	return true
}

// stripped is where a sequence lies whose length is not stated.
func stripped(row []float64, width int) extent {
	front, end, steps := zeros(row, width)
	switch {
	case front == steps:
		return extent{}
	case front > end:
		return extent{front, steps}
	}
	return extent{0, steps - end}
}

// stated is where a sequence of a stated length lies.
func stated(row []float64, width, length int) extent {
	front, end, steps := zeros(row, width)
	if steps-end > length && front >= steps-length {
		return extent{steps - length, steps}
	}
	return extent{0, length}
}

// extents finds the three sequences of the current row; see the package's documentation.
func (r *reader) extents(row, tokens int) (all [3]extent) {
	union := extent{from: len(r.features[data.Text].row)}
	for m, c := range r.features {
		switch lengths := r.Lengths[m]; {
		case lengths != nil:
			all[m] = stated(c.row, r.width(data.Modality(m)), lengths[row])
		case data.Modality(m) == data.Text && r.Filled:
			all[m] = extent{0, tokens}
		default:
			all[m] = stripped(c.row, r.width(data.Modality(m)))
		}
		if all[m] != (extent{}) {
			union = extent{min(union.from, all[m].from), max(union.to, all[m].to)}
		}
	}
	for m, lengths := range r.Lengths {
		if r.Aligned && lengths == nil && union.to > 0 {
			all[m] = union
		}
	}
	return all
}

// aligned tells whether step i of all three modalities is the same word; see the package's documentation.
func (s *Split) aligned() bool {
	steps := s.steps(data.Text)
	if s.steps(data.Audio) != steps || s.steps(data.Vision) != steps {
		return false
	}
	audio, vision := s.Lengths[data.Audio], s.Lengths[data.Vision]
	if audio == nil && vision == nil {
		return true
	}
	shorter := false
	for i := range min(len(audio), len(vision)) {
		if audio[i] != vision[i] {
			return false
		}
		shorter = shorter || audio[i] < steps
	}
	return shorter
}

// filled tells whether text is padded with something that is not zero: no row ends or begins with zeros, although it has the
// steps of text_bert. It reads as far as the first row that does, mostly the first of all.
func (s *Split) filled() (bool, error) {
	if s.TextBERT == nil || s.Lengths[data.Text] != nil || s.TextBERT.Shape[2] != s.steps(data.Text) {
		return false, nil
	}
	c, err := openColumn(s.Features[data.Text])
	if err != nil {
		return false, s.at("text", err)
	}
	for range s.IDs {
		if err := c.rows.Next(c.row); err != nil {
			return false, s.at("text", err)
		}
		if front, end, _ := zeros(c.row, s.width(data.Text)); front > 0 || end > 0 {
			return false, nil
		}
	}
	return true, nil
}
