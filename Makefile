# Each target sets up what it needs in .venv; nothing is installed twice.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help serve build test lint links clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

serve: $(VENV)/.site ## serve both languages on http://127.0.0.1:8000, live (PORT=8001 for another port)
	@$(BIN)/python -c 'import socket; socket.socket().bind(("127.0.0.1", $(PORT)))' 2>/dev/null || \
	  { echo "Port $(PORT) is in use. Try another: make serve PORT=$$(($(PORT) + 1))"; exit 1; }
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:$(PORT)

build: $(VENV)/.site ## build both languages into site/; a warning is an error
	@$(BIN)/mkdocs build --strict

test: lint ## run everything: package, examples, pages, and the built site in a browser
	@$(BIN)/python -m pytest

lint: $(VENV)/.test ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

links: $(VENV)/.site ## ask every address of the references page whether it answers (needs a network)
	@$(BIN)/python tests/links.py

clean: ## remove .venv and everything built
	rm -rf $(VENV) site .cache build *.egg-info

# One stamp an extra, made anew when the pins change.
$(VENV)/.%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up $(VENV) for '$*' (once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]' || \
	  { echo "Installing failed: the lines above say why. Without a network this step cannot work; 'make clean' starts afresh."; exit 1; }
	@touch $@
