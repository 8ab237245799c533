# Targets for people; `make help` lists them. Everything is built with SIMD: the pure Go backend is 15 times faster with it.
export GOEXPERIMENT := simd

GO     ?= go
PYTHON ?= python3
RUNS   ?= runs
SHARED ?= ../shared
# The open build of XLA for CPUs in this package is what GoMLX's installer would fetch; see environment.md.
XLA_WHEEL := fastatomstruct-xla-cpu==2026.6.23
XLA_PLUGIN := .xla/pjrt_c_api_cpu_plugin.so
LINTER := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help build demo test lint xla bench bench-go mosi planted-proof import-memory clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

build: ## build bin/mmiln
	$(GO) build -o bin/mmiln ./mmiln/cmd/mmiln

demo: build ## generate a small data set, train on it, print the scores beside the expected ones
	@test -d .data/demo || ./bin/mmiln data planted --size demo --out .data/demo
	./bin/mmiln train demo --runs $(RUNS)

test: ## run every test
	$(GO) vet ./...
	$(GO) test ./...

lint: ## run golangci-lint with .golangci.yml
	GOEXPERIMENT= $(GO) run $(LINTER) run ./...

xla: $(XLA_PLUGIN) ## install the XLA plugin for CPUs into .xla (needs Python with pip)

$(XLA_PLUGIN):
	@mkdir -p .xla/wheel
	$(PYTHON) -m pip install --quiet --no-deps --target .xla/wheel '$(XLA_WHEEL)'
	cp .xla/wheel/fastatomstruct_xla_cpu/libpjrt_cpu.so $@
	rm -rf .xla/wheel

bench: ## time a training step against PyTorch on XLA (PYTHON=... with torch)
	$(GO) run ./mmiln/bench --python $(PYTHON)

bench-go: ## the same on the pure Go backend, short sequences
	$(GO) run ./mmiln/bench --python $(PYTHON) --backend go --lengths 50/50/50 --rounds 3 --steps 1

clean: ## remove what was built; runs and data stay
	rm -rf bin
