# Everything starts from nothing but Python and make: `make demo` is the first thing to try.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUNS := $(VENV)/.ready-to-run
DEVELOPS := $(VENV)/.ready-to-develop

# What builds the project itself, taken from the lock file of the developers.
BUILD_TOOLS := hatchling|editables|packaging|pathspec|pluggy|trove-classifiers

# Without bytecode every process compiles all of its libraries when it starts, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo run test test-deep faults bench lint format types clean

help:
	@echo "make demo    play the whole story once: licence, image, order, payment, hold, payout"
	@echo "make run     keep the same stack running, with the data of the demo"
	@echo "make test    everything that must hold before a change is merged"
	@echo "make faults  1,000 orders and 120 jobs while everything around them is killed and cut off"
	@echo "make test-deep   the properties of money with 100,000 examples"
	@echo "make bench   measure what the documentation claims"
	@echo "make lint | format | types | clean"

install: $(DEVELOPS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Likeness needs Python 3.11 or newer, and '$(PYTHON)' is not." \
	    "Name another one: make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) (once; a minute or two) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python cannot make environments here; on Debian and Ubuntu: apt install python3-venv"; \
	  exit 1; }

$(RUNS): requirements.lock requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(call install_from,requirements.lock)
	@awk '/^[a-z]/ { keep = /^($(BUILD_TOOLS))==/ } keep' requirements-dev.lock > $(VENV)/build.lock
	@$(PIP) install --quiet --no-deps --require-hashes -r $(VENV)/build.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPS): $(RUNS)
	@$(call install_from,requirements-dev.lock)
	@touch $@

# Bytecode is left to the first import: most of what is installed is never imported.
install_from = $(PIP) install --no-compile --no-deps --require-hashes -r $(1) \
  | awk -v all=$$(grep -c '^[a-z].*==' $(1)) \
  '/^(Collecting|Processing|Requirement already)/ && ++n % 5 == 0 { printf "\r  %s: %d of %d packages ", "$(1)", n, all; fflush() } \
  /^Installing/ { printf "\r  %s: installing …             ", "$(1)"; fflush() } \
  END { printf "\r  %s: done                          \n", "$(1)" }'

demo: $(RUNS)
	@$(BIN)/likeness demo

run: $(RUNS)
	@$(BIN)/likeness up --demo-data

test: $(DEVELOPS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(JOBS)

faults: $(DEVELOPS)
	@$(BIN)/python -m tests.faults

test-deep: $(DEVELOPS)
	$(BIN)/pytest -n $(JOBS) -m money --hypothesis-profile=deep --timeout 3600

bench: $(DEVELOPS)
	@$(BIN)/python -m tests.benchmarks

lint: $(DEVELOPS)
	$(BIN)/ruff check
	$(BIN)/lint-imports

format: $(DEVELOPS)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: $(DEVELOPS)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .likeness .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
