# Everything a newcomer needs: `make bench` runs the benchmark, `make test` checks the code.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: setup bench test test-slow lint types unit smoke clean

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

bench: setup
	$(RUN) -m mfbench run experiments/steps_sweep.py

test: lint types unit smoke

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: setup
	$(RUN) -m mypy

unit: setup
	$(RUN) -m pytest -q -n 2 --dist loadfile -m "not slow and not gpu"

smoke: setup
	rm -rf runs/smoke-check
	$(RUN) -m mfbench run experiments/smoke.py --out runs/smoke-check --reports runs/smoke-check/reports

test-slow: setup
	$(RUN) -m pytest -q -m slow

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
