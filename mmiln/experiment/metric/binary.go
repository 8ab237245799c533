package metric

import "math"

// confusion counts examples as [truth][prediction]; index 1 is the positive class.
type confusion [2][2]int

// hasZero puts zero into the positive class and keeps every example.
func hasZero(pred, truth []float64) (c confusion) {
	for i := range pred {
		c.add(truth[i] >= 0, pred[i] >= 0)
	}
	return c
}

// nonZero leaves out the examples whose label is zero. A prediction of zero then counts as negative.
func nonZero(pred, truth []float64) (c confusion) {
	for i := range pred {
		if truth[i] != 0 {
			c.add(truth[i] > 0, pred[i] > 0)
		}
	}
	return c
}

func (c *confusion) add(truth, pred bool) { c[index(truth)][index(pred)]++ }

func index(positive bool) int {
	if positive {
		return 1
	}
	return 0
}

func (c confusion) total() int { return c[0][0] + c[0][1] + c[1][0] + c[1][1] }

// accuracy is NaN without examples.
func (c confusion) accuracy() float64 {
	return float64(c[0][0]+c[1][1]) / float64(c.total())
}

// weightedF1 is scikit-learn's f1_score(average="weighted", zero_division=0): the mean of the two classes' F1, weighted by
// how many labels each class has. NaN without examples.
func (c confusion) weightedF1() float64 {
	if c.total() == 0 {
		return math.NaN()
	}
	sum := 0.0
	for class := range c {
		support := c[class][0] + c[class][1]
		sum += float64(support) * c.f1(class)
	}
	return sum / float64(c.total())
}

func (c confusion) f1(class int) float64 {
	labelled := c[class][0] + c[class][1]
	predicted := c[0][class] + c[1][class]
	if labelled+predicted == 0 {
		return 0
	}
	return 2 * float64(c[class][class]) / float64(labelled+predicted)
}
