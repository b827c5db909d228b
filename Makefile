# The verbs of README. Needs make and Python 3.11 or newer; everything else goes into .venv, once.

# The first of these that runs and is new enough. Another one: make PYTHON=/path/to/python3.12 run
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
ARGS ?=

VENV_PYTHON := .venv/bin/python
PIP := $(VENV_PYTHON) -m pip --disable-pip-version-check
COMPILE := $(VENV_PYTHON) -m piptools compile --quiet --generate-hashes --no-strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

# Tests that need no server run on all cores.
UNIT := --numprocesses=auto --dist=worksteal --ignore=tests/e2e

.PHONY: help run test unit check bench lock clean

help:
	@echo "make run     sets everything up, starts the service and prints a link that downloads"
	@echo "make test    runs all tests (make test ARGS='-k links' some)"
	@echo "make unit    runs the quick ones that need no server"
	@echo "make check   lint, format, types"
	@echo "make bench   measures"
	@echo "make lock    freezes requirements*.in into requirements*.txt"
	@echo "make clean   removes what was made, the demo data too"

run: .venv/service.stamp
	@exec $(VENV_PYTHON) -m demo $(ARGS)

test: .venv/tools.stamp
ifeq ($(ARGS),)
	$(VENV_PYTHON) -m pytest $(UNIT) -m "not server and not slow" --cov --cov-report=term
	$(VENV_PYTHON) -m pytest $(UNIT) -m "not server and slow"
	$(VENV_PYTHON) -m pytest -m server
else
	$(VENV_PYTHON) -m pytest $(ARGS)
endif

unit: .venv/tools.stamp
	$(VENV_PYTHON) -m pytest $(UNIT) -m "not server and not slow" $(ARGS)

check: .venv/tools.stamp
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy .

bench: .venv/tools.stamp
	$(VENV_PYTHON) -m bench $(ARGS)

lock: .venv/tools.stamp
	CUSTOM_COMPILE_COMMAND='make lock' $(COMPILE) $(ARGS) --output-file=requirements.txt requirements.in
	CUSTOM_COMPILE_COMMAND='make lock' $(COMPILE) $(ARGS) --output-file=requirements-dev.txt requirements-dev.in

clean:
	rm -rf .venv build var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/service.stamp: requirements.txt
	@$(MAKE) --no-print-directory .venv-made PYTHON="$(PYTHON)"
	@echo "Installing what the service needs into .venv (once) ..."
	@$(PIP) install --quiet --require-hashes -r requirements.txt
	@touch $@

.venv/tools.stamp: requirements-dev.txt .venv/service.stamp
	@echo "Installing what tests and checks need into .venv (once) ..."
	@$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

# A virtual environment that works: a half-made one, or one of a Python that is gone, is made anew.
.PHONY: .venv-made
.venv-made:
	@if ! $(VENV_PYTHON) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		if [ -z "$(PYTHON)" ]; then \
			echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>/dev/null || echo none)." >&2; \
			echo "Install one, or name it: make PYTHON=/path/to/python3.12 run" >&2; exit 1; fi; \
		if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
			echo "Python 3.11 or newer is needed; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; exit 1; fi; \
		if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
			exit 1; fi; \
		echo "Making a virtual environment in .venv ..."; \
		"$(PYTHON)" -m venv --clear .venv; fi
