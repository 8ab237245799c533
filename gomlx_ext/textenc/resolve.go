package textenc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/gomlx/go-huggingface/hub"
)

// hubName is what models are called on the hub, with or without an owner: google-bert/bert-base-uncased.
var hubName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$`)

// Resolve returns the folder of a model: nameOrDir itself where it is a folder, else that of the hub's model of this name, which is
// downloaded to cacheDir unless it lies there (an empty cacheDir: the one that Python's huggingface_hub uses). HF_TOKEN and
// HF_ENDPOINT have their usual meaning.
func Resolve(ctx context.Context, nameOrDir, cacheDir string) (string, error) {
	info, err := os.Stat(nameOrDir)
	switch {
	case err == nil && info.IsDir():
		return nameOrDir, nil
	case err == nil:
		return "", fmt.Errorf("textenc: %s is a file; name the model's folder", nameOrDir)
	case !errors.Is(err, fs.ErrNotExist) || !hubName.MatchString(nameOrDir):
		return "", fmt.Errorf("textenc: %s is neither a folder nor the name of a model on the hub, such as google-bert/bert-base-uncased", nameOrDir)
	}
	repo := hub.New(nameOrDir).WithProgressBar(false).WithAuth(os.Getenv("HF_TOKEN"))
	repo.Verbosity = 0
	if cacheDir != "" {
		repo = repo.WithCacheDir(cacheDir)
	}
	dir, err := download(ctx, repo)
	if err != nil {
		return "", fmt.Errorf("textenc: no folder %s, and it cannot be had from the hub: %w (without a network, give the folder of a model that was downloaded elsewhere)", nameOrDir, err)
	}
	return dir, nil
}

// download fetches what [Open] reads, and returns the folder.
func download(ctx context.Context, repo *hub.Repo) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := repo.DownloadInfo(false); err != nil {
		return "", err
	}
	var wanted []string
	for name, err := range repo.IterFileNames() {
		if err != nil {
			return "", err
		}
		if slices.Contains(append([]string{configFile, weightsFile}, tokenizerFiles...), name) {
			wanted = append(wanted, name)
		}
	}
	if !slices.Contains(wanted, configFile) || !slices.Contains(wanted, weightsFile) {
		return "", fmt.Errorf("it has no %s and %s", configFile, weightsFile)
	}
	paths, err := repo.DownloadFilesCtx(ctx, wanted...)
	if err != nil {
		return "", err
	}
	return filepath.Dir(paths[0]), nil
}
