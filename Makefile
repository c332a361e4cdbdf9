# make lab, make test, make book: each sets up what it needs in .venv, given Python 3.11 or newer.
.PHONY: help lab test types book pdf tables address clean
.DEFAULT_GOAL := help

# Where Python is told not to keep what it compiles, as in many containers, each process would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin

help:
	@echo "make lab    JupyterLab, open on the first chapter"
	@echo "make test   all tests, the chapters among them"
	@echo "make types  the type checker"
	@echo "make book   the site, in _build/html"
	@echo "make pdf    the site as one file, in _build/html/book.pdf"

# What a reader needs, and what those who work on it need. The newest pip takes half the time of the one that comes with Python
# 3.11. It compiles nothing: most modules are never imported, and Python compiles those that are.
READ := .venv/.reading
WORK := .venv/.working
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is %d.%d. Try: make $(MAKECMDGOALS) PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/python || { echo "Making an environment in .venv ..."; $(PYTHON) -m venv .venv; }
	@echo "Installing what \"make $(MAKECMDGOALS)\" needs into .venv. The first time this takes some minutes, most of it downloads."
	@$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --no-compile --disable-pip-version-check -c constraints.txt -e ".[$(1)]"
	@touch $@
endef

$(READ): pyproject.toml constraints.txt
	$(call install,lab)

$(WORK): pyproject.toml constraints.txt
	$(call install,book$(comma)test$(comma)bench)

comma := ,

lab: $(READ)
	@echo "Opening the first chapter in JupyterLab. Ctrl-C, twice, ends it."
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/book/01-welcome.ipynb --LabApp.news_url=None $(LAB_ARGS)

test: $(WORK)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check anira tests
	$(BIN)/python -m pytest -n logical --dist loadscope --no-loadscope-reorder --durations 20 $(TEST_ARGS)

types: $(WORK)
	$(BIN)/mypy anira

# A page also shows what its neighbours and the library say, so nothing of an earlier build is kept.
book: export OMP_NUM_THREADS := 1
book: $(WORK)
	rm -rf _build
	$(BIN)/jupyter-book build . -W --keep-going
	$(BIN)/python -m pytest -n logical tests/book/test_site.py tests/book/test_chart_data.py tests/book/test_download.py

# Of what "make book" built. Needs Chromium; the page on how to cite then links to it.
pdf: $(WORK)
	$(BIN)/python book/_ext/pdf.py

# From the models and learning curves in runs/ and book/models/; which tables there are is said in anira/results/tables.toml.
tables: $(WORK)
	$(BIN)/anira tables

address: $(WORK)
	$(BIN)/python book/_ext/address.py

clean:
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache
