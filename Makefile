# `make help` says what there is. Nothing here needs more than Rust, Go, Python, make and a C compiler.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help quickstart quickstart-down test test-providers prove prove-server bench-server bench-providers simulate faults soak test-rust test-python build fmt lint crds chart openapi venv controlplane clients figures clean

CARGO ?= cargo
PYTHON ?= python3
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/storekeeper
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
export CARGO
STOREKEEPER_BIN ?= $(abspath $(TARGET))/debug/storekeeper
export STOREKEEPER_BIN

# The virtual environment is outside the checkout, so that a fresh one finds it; its name is what it was made from.
VENV_KEY := $(shell { $(PYTHON) --version; cat tests/requirements.txt; } | sha256sum | cut -c1-16)
VENV := $(CACHE)/venv/$(VENV_KEY)
RUN := PYTHONPATH=tests $(VENV)/bin/python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: venv ## The main job on real parts, left running to explore; CONTEXT=<kubeconfig context> uses that cluster
	@$(RUN) -m harness.quickstart up $(if $(CONTEXT),--context '$(CONTEXT)')

quickstart-down: venv ## End the quick start
	@$(RUN) -m harness.quickstart down

test: test-rust test-python ## Every test

test-rust: ## The tests of the Rust code
	$(CARGO) test --locked

test-providers: build venv ## The conformance suite on a real server of every provider, and a sample of the fault matrix on Garage; builds or installs those that are missing
	@scripts/garage >/dev/null
	@$(RUN) -m harness.rgw run -- $(CARGO) test --locked --test ceph_rgw
	cd tests && $(VENV)/bin/python -m pytest -s providers $(PYTEST)

prove: ## The exactly-once proofs: the model in every world, random schedules, the fault matrix, a soak (long; `make test` has a part of each)
	STOREKEEPER_MODEL=full $(CARGO) test --locked --profile simulation --test once_model -- --nocapture
	@$(MAKE) --no-print-directory simulate
	@$(MAKE) --no-print-directory faults
	@$(MAKE) --no-print-directory soak

SEEDS ?= 200000
FIRST_SEED ?= 0
simulate: ## Random schedules of the AccessKey controller in memory: SEEDS=200000 FIRST_SEED=0
	STOREKEEPER_SEEDS=$(SEEDS) STOREKEEPER_FIRST_SEED=$(FIRST_SEED) \
		$(CARGO) test --locked --profile simulation --test simulator -- --nocapture --test-threads 1

faults: build venv ## The whole fault matrix on real parts, Garage among them; goes on where it was interrupted (ARGS="--help")
	@$(RUN) -m faults $(ARGS)

DURATION ?= 10m
soak: build venv ## Two operators, killed every few seconds while keys come and go: DURATION=10m SEED=<number> (ARGS="--help")
	@$(RUN) -m soak.run --duration $(DURATION) $(if $(SEED),--seed $(SEED)) $(ARGS)

prove-server: build venv ## Kill the management server a hundred times under load (long; `make test` does eight)
	cd tests && STOREKEEPER_KILLS=100 $(VENV)/bin/python -m pytest -s s3/test_durability.py -k kills

# `release` takes long to link; `simulation` does not, and the provider and the API server are what takes the time.
bench-server: BENCH := $(or $(BENCH_PROFILE),release)
bench-providers: BENCH := $(or $(BENCH_PROFILE),simulation)
bench-server bench-providers: BENCH_BIN = $(abspath $(TARGET))/$(BENCH)/storekeeper
bench-server: venv ## What the S3 endpoint does in a second, as ratios to floors and to other stores in one run: BENCH_PROFILE=release
	$(CARGO) build --locked --profile $(BENCH)
	$(CARGO) bench --locked --profile $(BENCH) --bench server --no-run
	STOREKEEPER_BIN='$(BENCH_BIN)' STOREKEEPER_BENCH_DIR='$(abspath $(TARGET))' \
		$(RUN) -m harness.beside --data '$(abspath $(TARGET))' -- \
		$(CARGO) bench --locked --profile $(BENCH) --bench server

bench-providers: venv ## AccessKeys per second and calls per key at each provider, beside a plain client: BENCH_PROFILE=simulation (ARGS="--help")
	$(CARGO) build --locked --profile $(BENCH)
	@STOREKEEPER_BIN='$(BENCH_BIN)' $(RUN) -m providers.bench --profile $(BENCH) $(ARGS)

test-python: build venv clients ## The harness, S3 and end-to-end tests on the real control plane (PYTEST="-k name" for some)
	cd tests && $(VENV)/bin/python -m pytest $(PYTEST)

build: ## Build storekeeper (debug)
	$(CARGO) build --locked

fmt: venv ## Format everything
	$(CARGO) fmt
	$(VENV)/bin/ruff check --quiet --fix tests
	$(VENV)/bin/ruff format --quiet tests

lint: venv ## Formatting, clippy with warnings denied, cargo-deny, ruff
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test ceph_rgw -- -D warnings
	$(VENV)/bin/ruff format --check --quiet tests
	$(VENV)/bin/ruff check tests
	CARGO='$(CARGO)' scripts/deny

crds: build ## Write crds/ from the Rust types
	$(STOREKEEPER_BIN) crds --directory crds

chart: crds venv ## Write what of charts/ is made from something else: CRDs, policies, roles, README, snapshots
	@$(RUN) -m chart.generate

openapi: build ## Write docs/openapi.json from the Rust types
	$(STOREKEEPER_BIN) openapi --file docs/openapi.json

figures: build venv ## What it costs: writes and calls per key, writes on restart, memory
	@$(RUN) -m harness.figures

controlplane: ## Build kube-apiserver, kube-controller-manager, kubectl, etcd and helm into the cache
	@$(PYTHON) tests/controlplane/build.py
	@$(PYTHON) tests/controlplane/build.py helm

clients: ## Build the programs in Go that the tests use into the cache
	@cd tests && $(PYTHON) -m clients.golang
	@$(PYTHON) tests/controlplane/build.py helm

venv: $(VENV)/complete

# Made beside its final place and then renamed by its marker: an interrupted one is made again.
$(VENV)/complete:
	@echo "making the Python environment in $(VENV)"
	@rm -rf '$(VENV)'
	@$(PYTHON) -m venv '$(VENV)'
	@'$(VENV)/bin/pip' install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch '$@'

clean: quickstart-down ## Remove what was built here (the caches stay)
	$(CARGO) clean
	rm -rf target
