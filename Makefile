# Kitei needs Python >= 3.11 with venv, and make. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
STAMP := $(VENV)/.setup-stamp
DEV_STAMP := $(VENV)/.dev-stamp

.PHONY: help setup demo test test-long bench verifier lint format locks clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## .venv with Kitei in it; idempotent

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kitei needs Python 3.11 or later (set PYTHON=...)."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python requirements.lock pyproject.toml $(wildcard src/kitei/locale/parts/*.po.txt)
	$(BIN)/python tools/install.py requirements.lock
	$(BIN)/python tools/catalogue.py
	@touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.lock
	$(BIN)/python tools/install.py requirements-dev.lock
	@touch $@

demo: setup ## a populated demo provider on http://localhost:8000 (PORT=…)
	$(BIN)/kitei demo --data kitei-data/demo --port $(PORT)

test: $(DEV_STAMP) ## installs what is missing (may call apt) and runs every test
	$(BIN)/python tools/run_tests.py

test-long: $(DEV_STAMP) ## deep properties, fuzzing, crash matrix: long
	$(BIN)/python tools/run_tests.py --long

bench: $(DEV_STAMP) ## measures what docs/performance.md states
	$(BIN)/python -m bench

verifier: setup ## dist/kitei-verify.pyz: the auditor's verifier as one file
	$(BIN)/python tools/pyz.py

lint: $(DEV_STAMP) ## formatter, linters, types, import contracts, house rules
	$(BIN)/ruff format --check src tests tools bench
	$(BIN)/ruff check src tests tools bench
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet src/kitei
	$(BIN)/lint-imports
	$(BIN)/ast-grep scan --error=unused-suppression src

format: $(DEV_STAMP) ## apply the formatter
	$(BIN)/ruff format src tests tools bench
	$(BIN)/ruff check --fix src tests tools bench

locks: $(BIN)/python ## make the lock files anew (exact versions and hashes, no addresses)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --universal --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --universal --python-version 3.11 pyproject.toml --extra s3 -o requirements-s3.lock
	$(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --universal --python-version 3.11 pyproject.toml --group test --group lint -o requirements-dev.lock

clean: ## remove what setup and tests made (not kitei-data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build
