package plots

import "math"

// maxPoints is how many points of a series are drawn; a screen has little more room.
const maxPoints = 500

// thin keeps the shape of a line with fewer points: Largest-Triangle-Three-Buckets (S. Steinarsson, "Downsampling Time Series
// for Visual Representation", 2013). It cuts the inner points into limit−2 buckets and keeps of each the one that spans the
// largest triangle with the point kept before and the mean of the next bucket. A line with gaps is strided instead.
func thin(points []point, limit int) []point {
	if len(points) <= limit || limit < 3 {
		return points
	}
	for _, p := range points {
		if math.IsNaN(p.x) || math.IsNaN(p.y) {
			return stride(points, limit)
		}
	}
	out := make([]point, 0, limit)
	out = append(out, points[0])
	bucket := func(i int) int { return 1 + i*(len(points)-2)/(limit-2) }
	for i := range limit - 2 {
		next := points[bucket(i+1):min(max(bucket(i+2), bucket(i+1)+1), len(points))]
		out = append(out, largest(out[len(out)-1], points[bucket(i):bucket(i+1)], mean(next)))
	}
	return append(out, points[len(points)-1])
}

// largest is the candidate with the largest triangle between a and c.
func largest(a point, candidates []point, c point) (best point) {
	area := -1.0
	for _, b := range candidates {
		if found := math.Abs((a.x-c.x)*(b.y-a.y) - (a.x-b.x)*(c.y-a.y)); found > area {
			best, area = b, found
		}
	}
	return best
}

func mean(points []point) (m point) {
	for _, p := range points {
		m.x += p.x / float64(len(points))
		m.y += p.y / float64(len(points))
	}
	return m
}

// stride keeps every so many of the items, first and last among them, at most limit.
func stride[T any](items []T, limit int) []T {
	if len(items) <= limit {
		return items
	}
	out := make([]T, limit)
	for i := range out {
		out[i] = items[i*(len(items)-1)/(limit-1)]
	}
	return out
}
