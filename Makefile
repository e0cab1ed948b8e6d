# The same commands for people and for CI. `make` alone lists them.
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input
UV_VERSION := 0.13.9
# Empty without Node: only the client scripts' own checks and rebuilding them need it.
NODE := $(shell command -v npm >/dev/null 2>&1 && command -v node 2>/dev/null)
# More options for the program behind the target: make test ARGS="-k refusal"
ARGS ?=
# Tests at a time: one to a core; two on one, where one waits for a browser; no more than four browsers.
WORKERS := $(shell cores=$$(getconf _NPROCESSORS_ONLN); \
	echo $$((cores < 2 ? 2 : cores > 4 ? 4 : cores)))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help run test test-ha check check-python check-client check-docs bench fix build lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/runtime.stamp ## Start the kit with three demo sites; the only set-up is this
	@mkdir -p var
	$(VENV)/bin/slagboom demo $(ARGS)

# The tests start the program hundreds of times; compiled once is enough.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/dev.stamp ## Run every test: unit, server, browser
	@$(PYTHON) tools/chromium.py
	@$(PYTHON) tools/engines.py
	@$(PYTHON) tools/postgresql.py
	@$(PYTHON) tools/examples.py
	$(PYTHON) -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

test-ha: $(VENV)/dev.stamp ## Run the high-availability set-up and kill its machines one by one (minutes)
	@$(PYTHON) tools/ha.py
	$(PYTHON) -m pytest ha -s $(ARGS)

check: check-python check-client check-docs ## Lint, types, imports, client scripts, sizes, documentation

check-python: $(VENV)/dev.stamp ## The part of check about Python
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy tools
	$(VENV)/bin/lint-imports

ifdef NODE
check-client: $(VENV)/dev.stamp node_modules/stamp ## The part of check about client scripts, and what else needs Node
	node_modules/.bin/tsc --project tsconfig.json
	node tools/build.mjs --check
	node --test tests/js/*.test.mjs
	$(PYTHON) tools/sizes.py
	cmp node_modules/axe-core/axe.min.js e2e/vendor/axe.min.js
	cmp node_modules/@duckduckgo/autoconsent/dist/autoconsent.playwright.js e2e/vendor/autoconsent.playwright.js
	cmp node_modules/bootstrap/dist/css/bootstrap.min.css e2e/vendor/bootstrap.min.css
	cmp node_modules/tailwindcss/preflight.css e2e/vendor/tailwind-preflight.css
	node_modules/.bin/pyright --pythonpath $(PYTHON)
else
check-client: $(VENV)/dev.stamp
	@echo "No Node with npm on the path: leaving out tsc, pyright and the comparison of static/js/dist with its sources"
	$(PYTHON) tools/sizes.py
endif

check-docs: $(VENV)/dev.stamp ## The part of check about documentation
	$(PYTHON) -m pytest -q tests/docs

bench: $(VENV)/dev.stamp ## Measure it beside other banners, as ratios (needs Node; one half: ARGS="client --rounds 3")
	@$(PYTHON) tools/chromium.py
	$(PYTHON) -m bench $(ARGS)

fix: $(VENV)/dev.stamp ## Format, and mend what the linter can mend
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

build: node_modules/stamp ## Rebuild static/js/dist from its sources (needs Node)
	node tools/build.mjs

lock: $(VENV)/runtime.stamp ## Bring requirements/*.txt in line with pyproject.toml (newest versions: ARGS=--upgrade)
	$(PIP) install --quiet uv==$(UV_VERSION)
	tools/lock.sh $(VENV)/bin/uv $(ARGS)

clean: ## Remove what these commands made, except the data in var/
	rm -rf $(VENV) node_modules build dist wheels test-results .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/pip:
	@echo "Making $(VENV)"
	@tools/venv.sh $(VENV)

# The stamps say what is installed; a change of the locks or of the package's metadata installs again.
$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing the locked dependencies (once)"
	@$(PIP) install --quiet --require-hashes -r requirements/runtime.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing the locked dependencies and the tools of development (once)"
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(VENV)/runtime.stamp $@

ifdef NODE
node_modules/stamp: package.json package-lock.json .npmrc
	npm ci --no-progress
	@touch $@
else
node_modules/stamp:
	@echo "No Node with npm on the path; install Node 18 or newer (Debian 12: apt-get install nodejs npm)" >&2; exit 2
endif
