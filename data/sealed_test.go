package data_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

func TestTheTestSplitOpensOnceItsOpeningIsLogged(t *testing.T) {
	dir, card := save(t)
	_, sealed := open(t, dir)
	var logged []data.Opening
	test, err := sealed.Unseal("final evaluation", func(o data.Opening) error {
		logged = append(logged, o)
		return nil
	})
	require.NoError(t, err)
	require.Len(t, logged, 1)
	assert.WithinDuration(t, time.Now(), logged[0].Time, time.Minute)
	logged[0].Time = time.Time{}
	assert.Equal(t, data.Opening{Dataset: "small", SHA256: card.SHA256(), Examples: 5, Reason: "final evaluation"}, logged[0])

	require.Equal(t, 5, test.Len())
	b, err := test.Batch([]int{2}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, example(data.Test, 2).Values[data.Audio], b.Sequences[data.Audio].Values)
}

func TestTheSealStaysWhereNothingIsLogged(t *testing.T) {
	dir, _ := save(t)
	_, sealed := open(t, dir)
	full := errors.New("disk full")
	logs := func(data.Opening) error { return nil }
	for want, unseal := range map[string]func() (*data.TestSplit, error){
		"give a reason and a log":  func() (*data.TestSplit, error) { return sealed.Unseal("curiosity", nil) },
		"is sealed; give a reason": func() (*data.TestSplit, error) { return sealed.Unseal("", logs) },
		"stays sealed, since its opening could not": func() (*data.TestSplit, error) {
			return sealed.Unseal("tables", func(data.Opening) error { return full })
		},
	} {
		test, err := unseal()
		assert.Nil(t, test)
		assert.ErrorContains(t, err, want)
	}
}

// Arrays of the right size that hold garbage are found out when the seal is broken, so they were not read before.
func TestOpenReadsNoByteOfTheTestSplitsArrays(t *testing.T) {
	dir, _ := save(t)
	for _, array := range []string{"text", "audio", "tokens"} {
		path := filepath.Join(dir, "test."+array+".npy")
		stat, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, make([]byte, stat.Size()), 0o666))
	}
	_, sealed := open(t, dir)
	_, err := sealed.Unseal("test", func(data.Opening) error { return nil })
	assert.ErrorContains(t, err, "test.text.npy: it is not an .npy file")
}

// The compiler keeps a test split out of whatever takes a *Split or a *Development: neither can be made from one.
func TestATestSplitCannotBecomeADevelopmentSplit(t *testing.T) {
	for _, sealed := range []reflect.Type{reflect.TypeFor[data.TestSplit](), reflect.TypeFor[data.Sealed]()} {
		for _, open := range []reflect.Type{reflect.TypeFor[data.Split](), reflect.TypeFor[data.Development]()} {
			assert.False(t, sealed.ConvertibleTo(open), "%s to %s", sealed, open)
			assert.False(t, reflect.PointerTo(sealed).ConvertibleTo(reflect.PointerTo(open)), "*%s to *%s", sealed, open)
		}
	}
	fit := reflect.TypeOf(data.FitStandard)
	assert.Equal(t, []reflect.Type{reflect.TypeFor[*data.Development]()}, []reflect.Type{fit.In(0)})
}
