# make lab, make test, make book: each sets up what it needs in .venv, given Python 3.11 or newer.
.PHONY: lab test book tables address clean
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

help:
	@echo "make lab    JupyterLab, open on the first chapter"
	@echo "make test   all tests, the chapters among them"
	@echo "make book   the site, in _build/html"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is %d.%d. Try: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[lab,book,test,bench]"
	@touch $@

lab: $(INSTALLED)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/book/01-welcome.ipynb $(LAB_ARGS)

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest $(TEST_ARGS)

# A page also shows what its neighbours and the library say, so nothing of an earlier build is kept.
book: $(INSTALLED)
	rm -rf _build
	$(BIN)/jupyter-book build . -W --keep-going
	$(BIN)/python -m pytest tests/book/test_site.py

# From the models and learning curves in runs/ and book/models/; which tables there are is said in anira/results/tables.toml.
tables: $(INSTALLED)
	$(BIN)/anira tables

address: $(INSTALLED)
	$(BIN)/python book/_ext/address.py

clean:
	rm -rf _build .pytest_cache .ruff_cache
