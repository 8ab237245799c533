package planted_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// splits of a set, for loops.
func splits(set *planted.Set) []planted.Split {
	return []planted.Split{set.Train, set.Valid, set.Test}
}

// small is quick to generate.
func small() planted.Config {
	c := planted.Demo()
	c.Train, c.Valid, c.Test = 12, 5, 7
	return c
}

func generate(t require.TestingT, c planted.Config) *planted.Set {
	set, err := planted.Generate(c)
	require.NoError(t, err)
	return set
}

// fingerprint covers every bit of a set.
func fingerprint(t *testing.T, set *planted.Set) string {
	t.Helper()
	hash := sha256.New()
	for _, split := range splits(set) {
		for _, info := range split.Infos {
			hash.Write([]byte(info.ID + "\n" + info.Words + "\n"))
			require.NoError(t, binary.Write(hash, binary.LittleEndian, info.Label))
			require.NoError(t, binary.Write(hash, binary.LittleEndian, info.Unimodal))
		}
		for _, s := range split.Sequences {
			require.NoError(t, binary.Write(hash, binary.LittleEndian, s.Lengths))
			require.NoError(t, binary.Write(hash, binary.LittleEndian, s.Values))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// A different processor must give the same set. If the generator is changed on purpose, so is this number.
func TestTheSameBytesOnEveryMachine(t *testing.T) {
	const want = "1c672b44c8177de18b0d5d6b71a816ebd2e33dad6542c45a87636ba441ba4eb7"
	assert.Equal(t, want, fingerprint(t, generate(t, small())))
}

func TestAnotherSeedGivesAnotherSet(t *testing.T) {
	c := small()
	c.Seed++
	assert.NotEqual(t, fingerprint(t, generate(t, small())), fingerprint(t, generate(t, c)))
}

func TestASmallerSetIsAPrefixOfALarger(t *testing.T) {
	c := small()
	large := generate(t, c)
	c.Train = 4
	little := generate(t, c)
	assert.Equal(t, large.Train.Infos[:4], little.Train.Infos)
	values := little.Train.Sequences[data.Vision].Values
	assert.Equal(t, large.Train.Sequences[data.Vision].Values[:len(values)], values)
	assert.Equal(t, large.Test, little.Test)
}

func TestSizesAreThoseAskedFor(t *testing.T) {
	set := readMOSI(t)
	assert.Len(t, set.Train.Infos, 1284)
	assert.Len(t, set.Valid.Infos, 229)
	assert.Len(t, set.Test.Infos, 686)
	mosei := planted.MOSEI()
	assert.Equal(t, []int{16326, 1871, 4659}, []int{mosei.Train, mosei.Valid, mosei.Test})
}

func TestPresetsAreValid(t *testing.T) {
	for _, c := range []planted.Config{planted.MOSI(), planted.MOSEI(), planted.Demo()} {
		assert.NoError(t, c.Validate())
	}
}

func TestIDsAreUniqueAcrossSplits(t *testing.T) {
	seen := map[string]bool{}
	for _, split := range splits(readMOSI(t)) {
		for _, info := range split.Infos {
			require.False(t, seen[info.ID], info.ID)
			seen[info.ID] = true
		}
	}
}

func TestTheLabelIsTheStatedFunctionOfTheLatents(t *testing.T) {
	set := readMOSI(t)
	for _, split := range splits(set) {
		for _, info := range split.Infos {
			sum := 0.0
			for m, w := range set.Config.Weights {
				sum += w * float64(info.Unimodal[m])
			}
			fifths := math.RoundToEven(5 * min(max(sum, -3), 3))
			require.Equal(t, float32(fifths/5), info.Label, info.ID)
			require.Equal(t, info.Label, set.Config.Label(info.Unimodal), info.ID)
			require.False(t, info.Label == 0 && math.Signbit(float64(info.Label)), "negative zero in %s", info.ID)
		}
	}
}

func TestTheRuleRecoversTheTextLatentFromTheWords(t *testing.T) {
	for _, split := range splits(readMOSI(t)) {
		for _, info := range split.Infos {
			require.Equal(t, info.Unimodal[data.Text], float32(planted.Score(strings.Fields(info.Words))), info.Words)
		}
	}
}

// The words, and so the latent, can be read from the text features alone.
func TestTextStepsAreNearestToTheirWordsEmbedding(t *testing.T) {
	set := readMOSI(t)
	var words []string
	for _, entry := range planted.Lexicon() {
		words = append(words, entry.Word)
	}
	width := set.Config.Width[data.Text]
	table := set.Config.Embed(words)
	text := set.Test.Sequences[data.Text]
	for row, info := range set.Test.Infos[:100] {
		for step, word := range strings.Fields(info.Words) {
			at := (row*text.Steps + step) * width
			require.Equal(t, word, words[nearestRow(table, text.Values[at:at+width])], info.ID)
		}
	}
}

func nearestRow(table, v []float32) (best int) {
	least := math.Inf(1)
	for row := range len(table) / len(v) {
		sum := 0.0
		for i := range v {
			d := float64(table[row*len(v)+i] - v[i])
			sum += d * d
		}
		if sum < least {
			best, least = row, sum
		}
	}
	return best
}

func TestWithoutNoiseTextIsTheEmbeddingOfItsWords(t *testing.T) {
	c := small()
	c.Noise = [3]float64{}
	set := generate(t, c)
	want := set.Config.Embed(strings.Fields(set.Train.Infos[0].Words))
	assert.Equal(t, want, set.Train.Sequences[data.Text].Values[:len(want)])
}

func TestEachLatentIsReadByALinearProbeOfItsOwnModality(t *testing.T) {
	set := readMOSI(t)
	// Of text, a linear probe misses what modifiers do to the word that follows; a model of sequences need not.
	for m, least := range map[data.Modality]float64{data.Text: 0.6, data.Audio: 0.85, data.Vision: 0.85} {
		assert.Greater(t, explained(t, set, latent(m), m), least, m.String())
	}
}

// Once k's latent is known, k's features say nothing about the latent of m.
func TestNoLatentIsReadFromAnotherModality(t *testing.T) {
	set := readMOSI(t)
	for _, m := range data.Modalities {
		for _, k := range data.Modalities {
			if m == k {
				continue
			}
			assert.Less(t, explained(t, set, beyond(set, m, k), k), 0.03, "%s from %s", m, k)
		}
	}
}

// beyond is the latent of m less its regression on that of k.
func beyond(set *planted.Set, m, k data.Modality) func(data.Info) float64 {
	intercept, slope := stat.LinearRegression(target(set.Train, latent(k)), target(set.Train, latent(m)), nil, false)
	return func(info data.Info) float64 {
		return float64(info.Unimodal[m]) - intercept - slope*float64(info.Unimodal[k])
	}
}

func TestFusionExplainsFarMoreOfTheLabelThanAnyModality(t *testing.T) {
	set := readMOSI(t)
	all := explained(t, set, label, data.Text, data.Audio, data.Vision)
	assert.Greater(t, all, 0.8)
	for _, m := range data.Modalities {
		assert.Greater(t, all-explained(t, set, label, m), 0.25, "margin over %s", m)
	}
}

func TestEvenThePerfectTextLatentLeavesAThirdOfTheLabel(t *testing.T) {
	set := readMOSI(t)
	r := stat.Correlation(target(set.Train, latent(data.Text)), target(set.Train, label), nil)
	assert.InDelta(t, 0.63, r*r, 0.05)
}

func TestTextSaysMostAboutTheLabel(t *testing.T) {
	set := readMOSI(t)
	y := target(set.Train, label)
	r := func(m data.Modality) float64 { return stat.Correlation(target(set.Train, latent(m)), y, nil) }
	assert.Greater(t, r(data.Text), r(data.Audio)+0.05)
	assert.Greater(t, r(data.Text), r(data.Vision)+0.05)
}

func TestLatentsCorrelateAsConfigured(t *testing.T) {
	c := small()
	c.Train = 4000
	for _, correlation := range []float64{0, 0.3, 0.8} {
		c.Correlation = correlation
		set := generate(t, c)
		got := mat.NewSymDense(3, nil)
		stat.CorrelationMatrix(got, latents(set.Train), nil)
		for _, pair := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
			assert.InDelta(t, correlation, got.At(pair[0], pair[1]), 0.06, "%v at %v", pair, correlation)
		}
	}
}

func latents(split planted.Split) *mat.Dense {
	x := mat.NewDense(len(split.Infos), 3, nil)
	for _, m := range data.Modalities {
		x.SetCol(int(m), target(split, latent(m)))
	}
	return x
}

// MOSI's 2199 labels have mean 0.07, standard deviation 1.57 and 4.4 % zeros.
func TestLabelsAreDistributedLikeMOSIs(t *testing.T) {
	y := target(readMOSI(t).Train, label)
	mean, std := stat.MeanStdDev(y, nil)
	assert.InDelta(t, 0, mean, 0.15)
	assert.InDelta(t, 1.57, std, 0.15)
	zeros := 0.0
	for _, v := range y {
		if v == 0 {
			zeros++
		}
	}
	assert.InDelta(t, 0.044, zeros/float64(len(y)), 0.02)
}

// MOSI's utterances have 12.5 words in the mean, half of them 10 or fewer.
func TestTextsAreAsLongAsMOSIs(t *testing.T) {
	c := planted.MOSI()
	c.Length[data.Text] = 50
	words := target(generate(t, c).Train, func(info data.Info) float64 { return float64(info.Lengths[data.Text]) })
	slices.Sort(words)
	assert.InDelta(t, 12.5, stat.Mean(words, nil), 1)
	assert.InDelta(t, 10, stat.Quantile(0.5, stat.Empirical, words, nil), 1)
}

func TestTextHasOneStepPerWord(t *testing.T) {
	for _, info := range readMOSI(t).Train.Infos {
		require.Len(t, strings.Fields(info.Words), info.Lengths[data.Text], info.ID)
	}
}

func TestStepsBeyondTheLengthAreZero(t *testing.T) {
	for _, s := range readMOSI(t).Valid.Sequences {
		for row, n := range s.Lengths {
			padding := s.Values[(row*s.Steps+int(n))*s.Width : (row+1)*s.Steps*s.Width]
			require.False(t, slices.ContainsFunc(padding, func(v float32) bool { return v != 0 }), "row %d", row)
		}
	}
}

// Whatever the configuration, lengths stay within bounds and latents within ±3.
func TestAnyValidConfigurationStaysWithinBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := small()
		c.Seed = rapid.Uint64().Draw(r, "seed")
		c.Correlation = rapid.Float64Range(0, 0.99).Draw(r, "correlation")
		for m := range c.Length {
			c.Length[m] = rapid.IntRange(8, 70).Draw(r, "length")
			c.Width[m] = rapid.IntRange(4, 20).Draw(r, "width")
		}
		for _, info := range generate(r, c).Train.Infos {
			for m, n := range info.Lengths {
				assert.True(r, n >= 1 && n <= c.Length[m], "%d steps of %v", n, data.Modality(m))
				assert.LessOrEqual(r, math.Abs(float64(info.Unimodal[m])), 3.0)
			}
		}
	})
}

func TestBadConfigurationsAreNamed(t *testing.T) {
	for want, spoil := range map[string]func(*planted.Config){
		"train has 0 examples":                func(c *planted.Config) { c.Train = 0 },
		"valid has -1 examples":               func(c *planted.Config) { c.Valid = -1 },
		"test has 0 examples":                 func(c *planted.Config) { c.Test = 0 },
		"width of audio is 3; use at least 4": func(c *planted.Config) { c.Width[data.Audio] = 3 },
		"length of vision is 7 steps":         func(c *planted.Config) { c.Length[data.Vision] = 7 },
		"correlation is 1":                    func(c *planted.Config) { c.Correlation = 1 },
		"correlation is -0.1":                 func(c *planted.Config) { c.Correlation = -0.1 },
		"correlation is NaN":                  func(c *planted.Config) { c.Correlation = math.NaN() },
		"noise of text is -1":                 func(c *planted.Config) { c.Noise[data.Text] = -1 },
		"noise of vision is NaN":              func(c *planted.Config) { c.Noise[data.Vision] = math.NaN() },
		"weight of text is +Inf":              func(c *planted.Config) { c.Weights[data.Text] = math.Inf(1) },
		"all weights are 0":                   func(c *planted.Config) { c.Weights = [3]float64{} },
	} {
		c := planted.MOSI()
		spoil(&c)
		_, err := planted.Generate(c)
		assert.ErrorContains(t, err, want)
	}
}
