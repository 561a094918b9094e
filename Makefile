# make demo: sets up .venv if it is absent or out of date, then runs the demonstration (three minutes on two cores).
# make test: sets up .venv if it is absent or out of date, then runs the tests.
# make test-all: both in one call, which collects once and makes what tests share once.
# make test-long: the long matrix (kills, damaged bytes, two writers, every method); make torture: all of it, an hour and a half or more.
# make check: lint, format, types and imports. make bench: speed and memory (half an hour); make bench-short: exact work only.
# make all that CI does: .ci/run

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-dev
TEST_JOBS ?= 2
# Neighbours stay on one process, so that what a file's tests share is made once; whoever has none left takes half of another's.
# Where PYTHONDONTWRITEBYTECODE is set, each of its processes would rewrite the assertions of all tests.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_JOBS) --dist worksteal
DEMO_OUT ?= runs/demo
# a demo that is complete is made again, an interrupted one goes on
DEMO_MODE ?= $(if $(wildcard $(DEMO_OUT)/results.json),--overwrite,--resume)

.PHONY: setup compiled demo test test-long test-all torture check format bench bench-short clean

setup: $(READY)

$(READY): pyproject.toml
	@echo "Setting up $(VENV): PyTorch, torchvision, open_clip and the development tools (a few GB, minutes)."
	@start=$$(date +%s); set -e; \
	if command -v uv >/dev/null 2>&1; then \
		test -d $(VENV) || uv venv --quiet --python $(PYTHON) $(VENV); \
		uv pip install --compile-bytecode --python $(BIN)/python -e '.[dev]'; \
	else \
		test -d $(VENV) || $(PYTHON) -m venv $(VENV); \
		$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'; \
	fi; \
	touch $(READY); echo "Ready after $$(( $$(date +%s) - start )) s."

demo: setup
	$(BIN)/dapt demo --out $(DEMO_OUT) $(DEMO_MODE) $(ARGS)

# Tests start hundreds of processes; where PYTHONDONTWRITEBYTECODE is set, each of them would compile all that it imports.
compiled: setup
	$(BIN)/python -m compileall -q -j $(TEST_JOBS) src/dapt

test: compiled
	$(PYTEST) $(ARGS)

test-long: compiled
	$(PYTEST) -m long --durations=15 $(ARGS)

test-all: compiled
	$(PYTEST) -m "long or not long" --durations=15 $(ARGS)

torture: compiled
	DAPT_TORTURE=long $(PYTEST) -m long $(ARGS)

check: setup
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/ruff format --check src tests tools benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff check --fix src tests tools benchmarks
	$(BIN)/ruff format src tests tools benchmarks

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

bench-short: setup
	$(BIN)/python -m benchmarks --short

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
