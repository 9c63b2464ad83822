# darkgnn: `make run` starts the app, `make test` runs every check, `make bench` measures speed.
#
# Settings, all optional, as in `make run WORKSPACE=../mine`:
#   PYTHON      Python 3.11 or newer that creates .venv (default: the newest one found below)
#   PIP_ARGS    more arguments for pip, for example an index with smaller torch packages
#   WORKSPACE   the folder the app opens (default: demo-workspace, created when absent)
#   APP_ARGS    more arguments for app.py

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

VENV := .venv
PY := $(VENV)/bin/python
DEMO := demo-workspace
WORKSPACE ?= $(DEMO)
PIP_ARGS ?=
APP_ARGS ?=
PIP_INSTALL = $(PY) -m pip install --disable-pip-version-check --only-binary=:all: $(PIP_ARGS)

PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1; then echo $$name; break; fi; done)

VENV_READY := $(VENV)/.darkgnn-venv
RUN_READY := $(VENV)/.darkgnn-run
TEST_READY := $(VENV)/.darkgnn-test
DEMO_READY := $(DEMO)/.demo-complete

.PHONY: help install run demo test format bench clean

help:
	@echo "make run     install if needed, create a demo workspace if there is none, start the app"
	@echo "make demo    create the demo workspace only"
	@echo "make test    install what tests need, then run every check"
	@echo "make format  let ruff lay out the code and fix what it can"
	@echo "make bench   measure speed and memory"
	@echo "make clean   remove .venv and caches; workspaces stay"

# --- installing: a stamp says that it was done, so that a second start needs no pip, no network

$(VENV_READY):
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with the venv module was found. Install one (on Debian or"; \
		echo "Ubuntu: the packages python3 and python3-venv), or name it: make run PYTHON=/path"; \
		exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUN_READY): requirements.txt $(VENV_READY)
	@echo "Installing requirements.txt into $(VENV); torch is large, this takes minutes once."
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

install: $(RUN_READY)

# --- running

# An interrupted demo has no mark: the next start finishes it.
$(DEMO_READY): | $(RUN_READY)
	$(PY) -m darkgnn_core demo --workspace $(DEMO)
	@touch $@

demo: $(DEMO_READY)

ifeq ($(WORKSPACE),$(DEMO))
run: demo
endif
run: $(RUN_READY)
	@$(PY) app.py --workspace "$(WORKSPACE)" $(APP_ARGS)

# --- checking

test: $(TEST_READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

format: $(TEST_READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(RUN_READY)
	@for file in benchmarks/[a-z]*.py; do \
		name=$$(basename $$file .py); \
		echo "== $$name"; \
		$(PY) -m benchmarks.$$name || exit 1; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
