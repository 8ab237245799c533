package paper_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
)

// numbers collects every number of a JSON value, in any order.
func numbers(value any) (all []float64) {
	switch v := value.(type) {
	case float64:
		all = append(all, v)
	case []any:
		for _, item := range v {
			all = append(all, numbers(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, numbers(item)...)
		}
	}
	return all
}

// fields collects every number of a Go value; a nil pointer is none.
func fields(v reflect.Value) (all []float64) {
	switch v.Kind() {
	case reflect.Float64:
		all = append(all, v.Float())
	case reflect.Int:
		all = append(all, float64(v.Int()))
	case reflect.Pointer:
		if !v.IsNil() {
			all = fields(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			all = append(all, fields(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, fields(v.Field(i))...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			all = append(all, fields(v.MapIndex(key))...)
		}
	}
	return all
}

func TestEveryNumberOfTheFileIsRead(t *testing.T) {
	text, err := os.ReadFile("tables.json")
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	for name, read := range map[string]any{
		"table1": paper.Table1(), "table2": paper.Table2(), "table3": paper.Table3(), "table4": paper.Table4(), "figure4": paper.Figure4(),
	} {
		want, got := numbers(file[name]), fields(reflect.ValueOf(read))
		slices.Sort(want)
		slices.Sort(got)
		assert.Equal(t, want, got, name)
		delete(file, name)
	}
	assert.Empty(t, file, "tables that nothing reads")
}

func TestTheFileIsTheOneHandedDown(t *testing.T) {
	shared := os.Getenv("MMILN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "shared")
	}
	want, err := os.ReadFile(filepath.Join(shared, "paper", "tables.json"))
	if err != nil {
		t.Skip("the original is not here: set MMILN_SHARED to its folder")
	}
	got, err := os.ReadFile("tables.json")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestTable2HasTwelveSystemsThreeRerunsAndMMILN(t *testing.T) {
	models, reruns := map[string]bool{}, 0
	for _, row := range paper.Table2().Rows {
		models[row.Model] = true
		if row.Reproduced {
			reruns++
		}
		assert.Equal(t, row.Model == "MMILN", row.Ours)
	}
	assert.Len(t, models, 13)
	assert.Equal(t, 3, reruns)
}

func TestTable3EndsWithTable2sMMILNOnMOSEI(t *testing.T) {
	rows := paper.Table3().Rows
	want, err := paper.Lookup("MMILN", paper.MOSEI)
	require.NoError(t, err)
	assert.Equal(t, "MMILN", rows[len(rows)-1].Model)
	assert.Equal(t, want, rows[len(rows)-1].Scores)
}

func TestSplitsOfTable1AddUp(t *testing.T) {
	for name, sizes := range paper.Table1() {
		assert.Equal(t, sizes.All, sizes.Train+sizes.Valid+sizes.Test, name)
	}
}

func TestWhatThePaperDoesNotReportIsNotZero(t *testing.T) {
	scores, err := paper.Lookup("TFN", paper.MOSI)
	require.NoError(t, err)
	assert.Nil(t, scores.Acc2[0])
	_, ok := scores.Get("has0_acc2")
	assert.False(t, ok)
	_, ok = scores.Get("acc7")
	assert.False(t, ok)
}

func TestScoresHaveTheUnitsOfMeasuredOnes(t *testing.T) {
	scores, err := paper.Lookup("MMILN", paper.MOSI)
	require.NoError(t, err)
	found := 0
	for _, name := range metric.Names() {
		if value, ok := scores.Get(name); ok {
			found++
			assert.Positive(t, value, name)
			assert.Less(t, value, 1.0, name)
		}
	}
	assert.Equal(t, 6, found)
}

func TestLookupTakesTheNamesThatRunsUse(t *testing.T) {
	want, err := paper.Lookup("Self-MM", "MOSEI")
	require.NoError(t, err)
	for _, model := range []string{"self-mm", "self_mm", "SELFMM"} {
		for _, dataset := range []string{"mosei", "CMU-MOSEI", "cmu_mosei"} {
			got, err := paper.Lookup(model, dataset)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
	}
}

func TestLookupPrefersTheRerun(t *testing.T) {
	got, err := paper.Lookup("EMT", paper.MOSI)
	require.NoError(t, err)
	for _, row := range paper.Table2().Rows {
		if row.Model == "EMT" && row.Reproduced {
			assert.Equal(t, row.MOSI, got)
		}
	}
}

func TestLookupOfWhatIsNotThereNamesWhatIs(t *testing.T) {
	_, err := paper.Lookup("GPT", paper.MOSI)
	assert.ErrorContains(t, err, `no model "GPT"; it has TFN, LMF, MFN,`)
	_, err = paper.Lookup("TFN", "planted")
	assert.ErrorContains(t, err, `no data set "planted"; it has MOSI and MOSEI`)
}

func TestWhatOneCallerChangesAnotherDoesNotSee(t *testing.T) {
	*paper.Table2().Rows[0].MOSI.MAE = -1
	assert.Positive(t, *paper.Table2().Rows[0].MOSI.MAE)
}

func ExampleLookup() {
	for _, model := range []string{"MMILN", "Self-MM"} {
		scores, err := paper.Lookup(model, paper.MOSI)
		if err != nil {
			fmt.Println(err)
			return
		}
		mae, _ := scores.Get("mae")
		fmt.Printf("%-8s MAE %.3f\n", model, mae)
	}
	// Output:
	// MMILN    MAE 0.709
	// Self-MM  MAE 0.713
}
