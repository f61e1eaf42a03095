# The commands of Shopfloor. "make" alone lists them.
# Parts are installed into .venv once, and again only when pyproject.toml or constraints.txt change.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PY := .venv/bin/python
INSTALLED_BY := pyproject.toml constraints.txt

# make run DATABASE_URL=... hands the address on, and needs the PostgreSQL driver.
ifneq ($(strip $(DATABASE_URL)),)
export DATABASE_URL
endif
ifneq (,$(findstring postgres,$(DATABASE_URL)$(SHOPFLOOR_DATABASE_URL)))
RUN_PARTS := .venv/.parts-server
else
RUN_PARTS := .venv/.parts-run
endif

.PHONY: help run practice test check format licences screenshots bench clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN_PARTS) ## start Shopfloor on this machine (ARGS="--port 8080" to add options)
	@exec .venv/bin/crm serve $(ARGS)

practice: .venv/.parts-run ## start the practice copy, with invented people in a database of its own
	@exec .venv/bin/crm practice $(ARGS)

test: .venv/.parts-test ## install what the tests need, then run all of them (ARGS="tests/domain" for some)
	@sh tools/setup.sh test-programs
	@$(PY) -m pytest $(ARGS)

check: .venv/.parts-dev ## look at the code: format, lint, types, who may import whom, documents
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache
	$(PY) tools/licences.py --check
	$(PY) tools/check_docs.py

format: .venv/.parts-dev ## put the code into the one format
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

licences: .venv/.parts-dev ## write docs/licences.md anew
	$(PY) tools/licences.py

screenshots: .venv/.parts-test ## take the pictures of the README from the practice copy
	@sh tools/setup.sh test-programs
	$(PY) tools/screenshots.py $(ARGS)

bench: .venv/.parts-test ## measure (docs/benchmarks.md says what and how)
	$(PY) -m bench $(ARGS)

clean: ## take away .venv and the caches; never touches instance/, where your records are
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# One stamp for each set of parts: "run" is what every copy needs, the others are extras.
.venv/.parts-%: $(INSTALLED_BY)
	@sh tools/setup.sh parts $*
	@touch $@
