# `make demo` and `make test` are the two commands that matter. Each sets up the virtual environment that it needs.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable
OUT ?= runs/demo
# Two workers of one thread each: what they compute is the same bytes, and threads do not contend.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

.PHONY: demo test test-slow test-model lint format clean

demo: .venv/.demo
	$(BIN)/crossin demo --out $(OUT) $(DEMO)

# Everything but what takes long: under 5 minutes on 2 cores.
test: .venv/.dev
	$(PYTEST) -m 'not slow and not model'

# The rest: kills, clusters, torchrun, real servers, a browser, real data; and properties with more examples.
test-slow: .venv/.dev
	$(PYTEST) -m '(slow or hypothesis) and not model' --hypothesis-profile thorough

# The real SmolLM2, which must be in the cache or in a package registry.
test-model: .venv/.dev
	$(BIN)/pytest -m model

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "crossin needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) '.[demo]'
	touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) '.[demo,dev]'
	touch $@ .venv/.demo

clean:
	rm -rf .venv runs
