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

# What the chapters on training, alignment, generalization and timing read, from whatever is in runs/: one table a task and preset.
RESULTS := book/results
models = $(wildcard runs/$(1)-*-$(2)-[0-9]/model.safetensors)
choosing = $(wildcard $(foreach decider,early online,runs/$(1)-$(decider)-$(2)-[0-9]/model.safetensors))
evaluated = $(if $(models),$(BIN)/anira evaluate $(models) $(3) --out $(RESULTS)/generalization/$(1)-$(2).csv)
stopped = $(if $(choosing),$(BIN)/anira stopping $(choosing) $(3) --out $(RESULTS)/stopping/$(1)-$(2).csv)
traced = $(if $(choosing),$(BIN)/anira trace $(choosing) $(3) --out $(RESULTS)/traces/$(1)-$(2).csv.xz)
intervened = $(if $(choosing),$(BIN)/anira intervene $(choosing) $(3) --out $(RESULTS)/traces/$(1)-$(2)-interventions.csv.xz)
probed = $(if $(choosing),$(BIN)/anira probe $(choosing) $(3) --out $(RESULTS)/probes/$(1)-$(2).csv)
questioned = $(if $(choosing),$(BIN)/anira question $(choosing) $(3) --out $(RESULTS)/question/$(1)-$(2).csv)

tables: $(INSTALLED)
	for run in $(wildcard runs/*/metrics.csv); do cp $$run $(RESULTS)/training/$$(basename $$(dirname $$run)).csv; done
	$(BIN)/anira evaluate brevo-early-tiny brevo-online-tiny --sizes 3-12 --out $(RESULTS)/brevo-tiny.csv
	$(call evaluated,brevo,tiny,--sizes 3-12 --instances 200 --families all --max-depths 4 9 12)
	$(call evaluated,brevo,minute,--sizes 2-8 --instances 500 --families all --max-depths 2 6 8)
	$(call evaluated,brevo,minute-gap,--sizes 2-5 --instances 1000)
	$(call evaluated,mano,tiny,--sizes 1-6 --instances 1000 --max-depths 4 9)
	$(call evaluated,mano,minute,--sizes 1-6 --instances 1000 --max-depths 3 8)
	$(call traced,brevo,tiny,--instances 300)
	$(call traced,mano,tiny,--instances 500)
	$(call traced,mano,minute,--instances 500)
	$(call traced,depo,minute,--instances 300)
	$(call traced,depo,minute-one,--instances 300)
	$(call traced,lano,minute,--instances 150)
	$(BIN)/anira probe brevo-early-tiny brevo-online-tiny --out $(RESULTS)/probes/brevo-tiny.csv
	$(call probed,mano,tiny)
	$(call probed,depo,minute,--given place)
	$(call probed,depo,minute-one,--given place)
	$(call intervened,brevo,tiny,--instances 100)
	$(call stopped,brevo,tiny,--instances 200)
	$(call stopped,brevo,minute,--instances 500)
	$(call questioned,mano,tiny,--instances 500)
	$(call questioned,mano,minute,--instances 500)

address: $(INSTALLED)
	$(BIN)/python book/_ext/address.py

clean:
	rm -rf _build .pytest_cache .ruff_cache
