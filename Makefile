# The front door. Every target sets up what it needs: Python 3.11+ and make are enough.
.DEFAULT_GOAL := help
.PHONY: help demo test check format chaos bench docs fuzz clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(READY)  ## import 2,500 made-up contacts into a sandbox on this machine
	@$(BIN)/dialfeed demo

test: $(READY)  ## all tests but the long campaigns
	$(BIN)/python -m pytest -n 2 -q

check: $(READY)  ## format, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

chaos: $(READY)  ## the long fault and crash campaigns and their figures; SEEDS=480, more or less of them
	rm -f chaos.jsonl
	DIALFEED_CAMPAIGN=long DIALFEED_CAMPAIGN_SEEDS=$(SEEDS) DIALFEED_CAMPAIGN_REPORT=$(CURDIR)/chaos.jsonl \
	  $(BIN)/python -m pytest -n 2 -q -m campaign; \
	  code=$$?; $(BIN)/python tests/support/chaos.py chaos.jsonl; exit $$code

fuzz: $(READY)  ## mutated files for every reader: an hour of processor time, or FUZZ_SECONDS
	@PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --group fuzz || echo "atheris cannot be had here: the mutations are blind"
	PYTHONPATH=tests/support $(BIN)/python -m fuzz.run

bench: $(READY)  ## the figures of docs/benchmarks.md
	$(BIN)/python -m bench.run

docs: $(READY)  ## the generated pages: commands, settings, reasons, findings, events, metrics, JSON
	$(BIN)/python -m dialfeed.pages docs

clean:  ## remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis runs chaos.jsonl

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "dialfeed needs Python 3.11 or newer; name one with PYTHON=python3.x"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  "pip>=25.1"
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --group dev --editable .
	@touch $(READY)
