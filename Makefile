# Needs make and Python 3.11 or newer, nothing else. `make` alone shows what there is.

VENV   := .venv
BIN    := $(VENV)/bin
# the first Python that is new enough; PYTHON=/path/to/python make … chooses another
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help install dev test demo check bench reference lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## make .venv with the bridge in it: .venv/bin/bridge
	@echo "ready: $(BIN)/bridge"

dev: $(VENV)/.developing ## the same, with what tests and checks need

test: $(VENV)/.developing ## run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

demo: $(VENV)/.installed ## everything at work on samples/ (ALL=1: each file, KEEP=1: until Ctrl-C)
	$(BIN)/bridge demo $(if $(ALL),--all) $(if $(KEEP),--keep)

check: $(VENV)/.developing ## style, types and floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# bench/load.py is the sender that others start; bench/turns.py needs a second tree
bench: $(VENV)/.installed ## run the benchmarks and print their tables
	@for file in $(filter-out bench/load.py bench/turns.py,$(wildcard bench/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

reference: $(VENV)/.installed ## write the generated pages of docs/ again
	$(BIN)/python -m bridge.reports.pages.runbook docs/operating.md docs/reference/causes.md \
		docs/reference/status.md docs/reference/hl7v2-events.md docs/reference/zautoai.md \
		docs/reference/mapping.md

lock: ## write the locked requirements anew (needs uv)
	echo setuptools | uv pip compile setup.py - $(LOCK) -o requirements.txt
	uv pip compile requirements-dev.in $(LOCK) -o requirements-dev.txt

LOCK := --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

clean: ## remove .venv and what tools left behind
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found; install one, or set PYTHON=/path/to/python." >&2; exit 1; }
	@echo "setting up $(VENV), once: a minute or two"
	$(PYTHON) -m venv $(VENV)

# an editable install: the package is this folder, so only its requirements can grow old
$(VENV)/.installed: requirements.txt setup.py | $(BIN)/python
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developing: requirements-dev.txt $(VENV)/.installed
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
