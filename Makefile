# Everything below installs what it needs by itself; `make help` lists it.
# A bare machine needs: Debian 12 or 13 with root, Python 3.11 or newer, make.

SHELL := /bin/bash
PYTHON3 ?= python3
BOOTSTRAP := $(PYTHON3) -m deploy.bootstrap
PYTHON := .venv/bin/python
CHECK ?=
ARGS ?=
# Several tests at a time: many wait for a process or a deadline more than they compute. ARGS="-n0 --pdb" for one.
WORKERS := $(shell cores=$$(nproc); echo $$((cores < 4 ? cores + 1 : 5)))

.DEFAULT_GOAL := help
.PHONY: help demo test test-bluez crm-e2e fuzz bench chaos check docs services lock

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-16s %s\n' "$$name" "$$text"; done

demo: ## the whole road with simulated devices, until Ctrl-C; CHECK=1 checks it and ends
	@$(BOOTSTRAP) python assets
	@exec $(PYTHON) -m deploy.demo $(if $(CHECK),--check) $(ARGS)

test: ## all tests, on the real services; ARGS="tests/gateway -k outbox" narrows them
	@$(BOOTSTRAP) python assets browser fonts bus
	@$(PYTHON) -m deploy.services prepare
	@exec $(PYTHON) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

test-bluez: ## the gateway on the stock Bluetooth stack, in a virtual machine; ARGS="pairing" narrows it
	@$(BOOTSTRAP) python
	@exec $(PYTHON) -m deploy.bluez_guest test $(ARGS)

crm-e2e: ## an independent CRM, installed, told and read back; needs a Python of 3.12 or newer beside ours, and says so
	@$(BOOTSTRAP) python
	@$(PYTHON) -m deploy.services prepare
	@exec $(PYTHON) -m deploy.crm_e2e

fuzz: ## mutated octets into every codec and frame reader, for SECONDS=60
	@$(BOOTSTRAP) python
	@exec $(PYTHON) -m tests.fuzz --seconds $(or $(SECONDS),60) $(ARGS)

bench: ## how fast, each figure beside its limit; ARGS="--only storm" or ARGS=--quick narrows it
	@$(BOOTSTRAP) python assets
	@$(PYTHON) -m deploy.services prepare
	@exec $(PYTHON) -m deploy.bench $(ARGS)

chaos: ## a home and a cloud under FAULTS=200 faults drawn from SEED=1: nothing lost, doubled, misdated, misattributed
	@$(BOOTSTRAP) python assets
	@$(PYTHON) -m deploy.services prepare
	@exec $(PYTHON) -m deploy.chaos --faults $(or $(FAULTS),200) --seed $(or $(SEED),1) $(ARGS)

check: ## formatting, lint, types, floors and layers, firmware profiles, house tests
	@$(BOOTSTRAP) python
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PYTHON) -m firmware_profiles check
	$(PYTHON) -m pytest -q tests/house

docs: ## the manual, with pictures taken from the running product, where the console serves it
	@$(BOOTSTRAP) python assets browser fonts
	@$(PYTHON) -m deploy.services prepare
	@exec $(PYTHON) -m deploy.manual $(ARGS)

services: ## TimescaleDB and Mosquitto on free loopback ports, kept; DO=stop ends exactly what was started
	@$(BOOTSTRAP) python
	@$(PYTHON) -m deploy.services $(or $(DO),start)

lock: ## resolve the dependencies again into requirements/*.lock, with hashes and without any index's name
	@$(BOOTSTRAP) python
	$(PYTHON) -m deploy.lock
