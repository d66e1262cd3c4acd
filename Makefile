# Everything starts from nothing but Python and make: `make demo` is the first thing to try.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo run test bench lint format types clean

help:
	@echo "make demo    play the whole story once: licence, image, order, payment, hold, payout"
	@echo "make run     keep the same stack running, with the data of the demo"
	@echo "make test    everything that must hold before a change is merged"
	@echo "make bench   measure what the documentation claims"
	@echo "make lint | format | types | clean"

install: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Likeness needs Python 3.11 or newer as '$(PYTHON)'; name another: make PYTHON=python3.12"; \
	  exit 1; }
	@echo "Making the environment in $(VENV) (once, a minute or so) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "Python cannot make environments here; on Debian and Ubuntu: apt install python3-venv"; \
	  rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install \
	  --require-hashes --progress-bar on -r requirements-dev.lock
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install \
	  --no-deps --no-build-isolation -e .
	@touch $@
	@echo "The environment is ready."

demo: $(STAMP)
	@$(BIN)/likeness demo

run: $(STAMP)
	@$(BIN)/likeness up --demo-data

test: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(JOBS)

bench: $(STAMP)
	@$(BIN)/python -m tests.benchmarks

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: $(STAMP)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .likeness .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
