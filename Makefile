# leydig: every target works from a fresh clone with Python 3.11 or later.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
LEYDIG := $(BIN)/leydig
STAMP := .venv/.installed
LOCK := requirements.txt

REPORT := out/older-man

.PHONY: help install run reports test check format lock calibrate profiles validate picture pages accuracy bench clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## create .venv with the locked dependencies and the package itself

$(STAMP): pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; choose another with: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: install ## simulate the bundled older man and write his report
	$(LEYDIG) simulate older-man --protocol "anastrozole 1 mg daily for 52 weeks" --bands --out $(REPORT)
	@page=$$(find $(REPORT) -name '*.html' | head -n 1); test -n "$$page" || \
		{ echo "error: no report was written under $(REPORT)" >&2; exit 1; }; \
		echo; echo "Report: $$page (open it in a browser)"

check: install ## style, types and layers, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_layers.py

test: check ## everything that must hold before a change is kept
	$(BIN)/python -m pytest -n $(WORKERS)

format: install ## put the code into the common format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

picture: install ## draw the README's picture and renew its table with the program itself
	$(BIN)/python tools/picture.py

pages: install ## write the documentation pages that are computed (drugs, trials, claims, equations, population, pulses)
	$(BIN)/python tools/drugs_page.py
	$(BIN)/python tools/trials_page.py
	$(BIN)/python tools/claims_page.py
	$(BIN)/python tools/equations_page.py
	$(BIN)/python tools/population_page.py
	$(BIN)/python tools/titration_page.py
	$(BIN)/python tools/pulses_page.py

accuracy: install ## measure the fast engine's error again and choose its stored steps (minutes)
	$(BIN)/python tools/accuracy.py

reports: install ## two reports: an obese man choosing between three ways, a man stopping testosterone
	$(LEYDIG) simulate obese-man-choosing --protocol "weight -10 % over 6 months then none" \
		--protocol "anastrozole 0.5 mg twice weekly" --protocol "clomiphene 25 mg daily" \
		--days "1 year" --bands --out out/obese-man-choosing
	$(LEYDIG) simulate man-on-testosterone --protocol "none for 1 year" \
		--protocol "testosterone cypionate 100 mg weekly for 1 year" \
		--protocol "hCG 1500 IU three times weekly + FSH 75 IU three times weekly for 1 year" \
		--bands --out out/man-stopping-testosterone

bench: install ## speed and error beside other solvers (20 minutes; BENCH=--quick to try it)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
		-r benchmarks/requirements.txt
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r benchmarks/requirements-source.txt
	$(BIN)/python -m benchmarks.run $(BENCH)

calibrate: install ## refit the parameters, one module after another, from the calibration evidence (minutes)
	$(BIN)/python tools/calibrate.py

profiles: install ## profile likelihoods of every fitted parameter (an hour; begun again, it goes on)
	$(BIN)/python tools/profiles.py
	$(BIN)/python tools/profiles_page.py

validate: install ## run every published trial again and write docs/credibility.md, bone.md and fertility.md (half an hour)
	$(LEYDIG) reproduce --out out/validation
	$(BIN)/python tools/bone_page.py
	$(BIN)/python tools/fertility_page.py
	$(BIN)/python tools/credibility_page.py

lock: ## resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file $(LOCK)

clean: ## remove what was built, the environment included
	rm -rf .venv out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
