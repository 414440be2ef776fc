# Everything starts here: `make serve` and `make test` need Python 3.11+, pip and make, and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install serve test thorough soak lint bench bench-large screens openapi locks

PYTHON ?= python3
PORT ?= 8080
ENTRIES ?= 10000000
BIN := .venv/bin
READY := .venv/.ready

# Hash-checked, free of host names and equal on every platform; --no-header keeps this command line out of the file.
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
           --no-header --no-annotate --quiet

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## set up .venv with the development lock

# pip brings uv, uv brings the rest: six times faster than pip alone. The stamp makes a second run free.
$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Sayso needs Python 3.11 or newer; name one with make PYTHON=python3.11" >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/uv.txt requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . --editable clients/python
	@touch $@

serve: $(READY)  ## the demo brand on 127.0.0.1:8080 (PORT=…), with the embedded database
	$(BIN)/sayso demo --data .demo --port $(PORT)

test: $(READY)  ## all tests on SQLite and PostgreSQL, with a real browser
	@tests/provide.sh
	$(BIN)/python -m pytest -n 2 --dist worksteal

thorough: $(READY)  ## what `make test` leaves out: every width, light and language; other examples of each property
	@tests/provide.sh
	$(BIN)/python -m pytest -n 2 --dist worksteal -m thorough
	$(BIN)/python -m pytest -n 2 --dist worksteal -m hypothesis --hypothesis-profile searching

soak: $(READY)  ## 200 kills of each engine's log at random moments, which `make test` does 20 times
	$(BIN)/python -m pytest -m soak tests/audit/test_crashes.py

lint: $(READY)  ## style, types and the import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## every benchmark's figure beside its budget
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.vault
	$(BIN)/python -m benchmarks.deliver
	@if $(BIN)/python -c 'import sys; from tests.conftest import chromium_path; sys.exit(not chromium_path())'; \
	    then $(BIN)/python -m benchmarks.web; else echo "web: not measured, there is no Chromium"; fi

bench-large: $(READY)  ## the log with ENTRIES=10000000, into benchmarks/RESULTS.md; once for each release
	$(BIN)/python -m benchmarks.large $(ENTRIES)

screens: $(READY)  ## take the compared screens and the banner's accessibility tree anew
	$(BIN)/python -m tests.faces.screens

openapi: $(READY)  ## write openapi.yaml from the running code
	$(BIN)/sayso openapi > openapi.yaml

locks: $(READY)  ## resolve the requirement locks anew
	echo uv | $(COMPILE) --upgrade - --output-file requirements/uv.txt
	$(COMPILE) --upgrade pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) --upgrade pyproject.toml --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
