# The two commands that matter: `make demo` and `make test`. Each sets up its own virtual environment first.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= runs/demo
READY := .venv/.ready

.PHONY: demo test test-model lint format clean

demo: $(READY)
	$(BIN)/crossin demo --out $(OUT) $(DEMO)

test: $(READY)
	$(BIN)/pytest

test-model: $(READY)
	$(BIN)/pytest -m model

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "crossin needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo,dev]'
	touch $(READY)

clean:
	rm -rf .venv runs
