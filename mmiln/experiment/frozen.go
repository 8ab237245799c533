package experiment

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// statesVersion is part of a cache's key. It must change with whatever changes what textenc computes.
const statesVersion = 1

// cacheDir is $MMILN_CACHE, or mmiln in the user's folder of caches. What lies there can be deleted at any time.
func cacheDir() (string, error) {
	if dir := os.Getenv("MMILN_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for cached features: %w; set MMILN_CACHE", err)
	}
	return filepath.Join(dir, "mmiln"), nil
}

// states are a frozen encoder's, [length, d] of each text. They are computed once for every content of encoder and texts.
func (r *textReader) states(tokens textenc.Tokens) ([][]float32, error) {
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	key, err := r.key(tokens)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "text", key)
	if states, err := readStates(path, tokens, r.encoder.Config().Width); err == nil {
		return states, nil
	} // not there, or damaged: it is made anew
	states, err := r.compute(tokens)
	if err != nil {
		return nil, err
	}
	return states, writeStates(path, states, r.encoder.Config().Width)
}

// key names what the states depend on: the encoder's content, the word pieces, backend and precision, which differ in the last
// bits, and the program's version of all that.
func (r *textReader) key(tokens textenc.Tokens) (string, error) {
	content, err := r.encoder.Hash()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %s %s %d\n", statesVersion, r.backend.Name(), r.config.Precision, content, len(tokens.IDs))
	for _, ids := range tokens.IDs {
		_ = binary.Write(h, binary.LittleEndian, int32(len(ids))) // a hash.Hash never fails
		_ = binary.Write(h, binary.LittleEndian, ids)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// compute encodes all texts, batches of about equal length together.
func (r *textReader) compute(tokens textenc.Tokens) ([][]float32, error) {
	store := model.NewStore()
	if err := r.encoder.Load(store.Scope(textScope)); err != nil {
		return nil, err
	}
	exec, err := model.NewExec(r.backend, store, func(scope *model.Scope, x, lengths *Node) *Node {
		return r.config.encode(r.encoder, scope, masked.New(x, lengths)).X
	})
	if err != nil {
		return nil, err
	}
	exec.SetMaxCache(-1)
	defer exec.Finalize()
	const size = 32
	v := transcribed{bare(len(tokens.IDs)), 1, pieces(tokens)}
	states := make([][]float32, v.Len())
	for _, rows := range data.Batches(data.SortedByLength(v, every(v.Len())), size) {
		if err := r.batch(exec, v, rows, size, states); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// batch encodes some rows; a last, smaller batch is filled up, and lengths are rounded up, so that few shapes are compiled.
func (r *textReader) batch(exec *model.Exec, v transcribed, rows []int, size int, states [][]float32) error {
	full := append([]int{}, rows...)
	for len(full) < size {
		full = append(full, rows[0])
	}
	steps := min((v.Info(rows[len(rows)-1]).Lengths[data.Text]+7)/8*8, r.config.MaxLength)
	b, err := v.Batch(full, [3]int{data.Text: steps})
	if err != nil {
		return err
	}
	text := b.Sequences[data.Text]
	out, err := exec.Exec(tensors.FromFlatDataAndDimensions(text.Values, size, steps, 1), tensors.FromFlatDataAndDimensions(text.Lengths, size))
	if err != nil {
		return fmt.Errorf("encoding text: %w", err)
	}
	flat, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return err
	}
	width := r.encoder.Config().Width
	for i, row := range rows {
		states[row] = flat[i*steps*width:][:int(text.Lengths[i])*width]
	}
	return out[0].FinalizeAll()
}

// every counts from 0 to n-1.
func every(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// bare are so many examples without any features.
type bare int

func (n bare) Len() int           { return int(n) }
func (n bare) Info(int) data.Info { return data.Info{} }
func (n bare) Batch(rows []int, _ [3]int) (*data.Batch, error) {
	return &data.Batch{Rows: rows}, nil
}

// readStates reads a cache and checks that it is of these texts.
func readStates(dir string, tokens textenc.Tokens, width int) ([][]float32, error) {
	found, _, _, err := snapshot.Latest(dir)
	if err != nil {
		return nil, err
	}
	flat, _, err := (&safetensors.File{Tensors: found.Tensors}).Float32("states")
	if err != nil {
		return nil, err
	}
	states := make([][]float32, len(tokens.IDs))
	for i, ids := range tokens.IDs {
		n := len(ids) * width
		if len(flat) < n {
			return nil, fmt.Errorf("%s is too short", dir)
		}
		states[i], flat = flat[:n:n], flat[n:]
	}
	return states, nil
}

func writeStates(dir string, states [][]float32, width int) error {
	flat := slices.Concat(states...)
	state := snapshot.State{Tensors: map[string]safetensors.Tensor{"states": safetensors.FromFloat32(flat, len(flat)/width, width)}}
	if _, err := snapshot.Save(dir, "text", state, 1); err != nil {
		return fmt.Errorf("keeping text features: %w; set MMILN_CACHE to a folder that can be written", err)
	}
	return nil
}
