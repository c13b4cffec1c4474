# Everything on a fresh machine with Python 3.11 or newer: `make demo`, `make test`.
PYTHON ?= python3
SERVE ?= 1
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help setup demo test lint types imports unit format
.DEFAULT_GOAL := help

help:
	@echo "make demo           the whole pipeline on a simulated organisation, then the review pages (SERVE=0: no pages)"
	@echo "make test           every check: lint, types, import contracts, tests"
	@echo "make setup          .venv with the command .venv/bin/monitor"
	@echo "make format         rewrite the code in the house style"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m monitor.demo $(if $(filter 0,$(SERVE)),--no-serve)

test: lint types imports unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
