// Package ulgmfile keeps the state of a label generator as tensors of a file: for each task the stored features
// <prefix><task>/features [N, width], the labels <prefix><task>/labels [N], and the centres <prefix><task>/positive and /negative
// [width]. Checkpoints and pages hold it so.
package ulgmfile

import (
	"fmt"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
)

var sides = [2]string{"/positive", "/negative"}

// Put adds the state to tensors.
func Put(to map[string]safetensors.Tensor, prefix string, u *mmiln.ULGM) {
	for _, task := range u.Tasks {
		name := prefix + string(task)
		to[name+"/features"] = safetensors.FromFloat32(u.Features[task], len(u.Seen), u.Width[task])
		to[name+"/labels"] = safetensors.FromFloat64(u.Labels[task])
		for class, side := range sides {
			to[name+side] = safetensors.FromFloat64(u.Centres[task][class])
		}
	}
}

// Take reads the state into a generator of the same tasks, widths and number of examples; it is an error where the file's are others.
func Take(file *safetensors.File, prefix string, u *mmiln.ULGM) error {
	for _, task := range u.Tasks {
		if err := take(file, prefix+string(task), task, u); err != nil {
			return err
		}
	}
	return nil
}

func take(file *safetensors.File, name string, task mmiln.Task, u *mmiln.ULGM) (err error) {
	if u.Features[task], _, err = file.Float32(name + "/features"); err != nil {
		return err
	}
	if u.Labels[task], _, err = file.Float64(name + "/labels"); err != nil {
		return err
	}
	var centres [2][]float64
	for class, side := range sides {
		if centres[class], _, err = file.Float64(name + side); err != nil {
			return err
		}
		if len(centres[class]) != u.Width[task] {
			return fmt.Errorf("%s%s has %d values, and F* of that task %d", name, side, len(centres[class]), u.Width[task])
		}
	}
	u.Centres[task] = centres
	if n := len(u.Seen); len(u.Labels[task]) != n || len(u.Features[task]) != n*u.Width[task] {
		return fmt.Errorf("%s: features and labels are not those of %d training examples", name, n)
	}
	return nil
}
