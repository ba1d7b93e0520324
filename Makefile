# All tasks that people run. `make` alone lists them.
# Each target sets up what it needs, and repeats only the parts of the set-up that changed.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# The Python of the environments: the first on PATH whose version AWS Lambda also runs.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$python" && break; done)

# Set these on the command line to choose what `make package` builds; see `python -m scripts.package --help`.
RUNTIME ?=
ARCHITECTURE ?=
FORMATS ?=

DEV := .venv/dev/bin
STAMP := .venv/dev/.stamp
MODULE := $(DEV)/python -m
COMMAND := $(MODULE) scripts.commands.cli

export PYTHONPATH := lambda_src:.
unexport PYTHONHOME PYTHONSTARTUP PYTHONOPTIMIZE
unexport PYTHONDONTWRITEBYTECODE  # or every process compiles the scripts, and each worker the tests, again

# Settings of the shell for another account or another Terraform must not leak into tests and the demo.
FOREIGN := $(sort $(filter AWS_% TF_VAR_% TF_CLI_ARGS% TF_WORKSPACE TF_DATA_DIR TF_LOG TF_LOG_PATH \
	SFN_WAIT_SCALE,$(.VARIABLES)))
HERMETIC := env $(FOREIGN:%=-u %) AWS_EC2_METADATA_DISABLED=true

# Tests that share something expensive are in one group, which one worker runs: tests/support/parallel.py
# Two workers more than two cores: Terraform's applies and the browser mostly wait.
WORKERS ?= 4
PARALLEL = -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

STACK = $(if $(NAME),--name "$(NAME)")
HOW = $(if $(filter-out 0,$(DRY_RUN)),--dry-run) $(if $(filter-out 0,$(WAIT)),--wait)

##@ Start here

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: setup package-local ## Run the whole pipeline on the local AWS, check it, clean up (IMAGES=path to use your own images, WORKFLOW_TYPE=EXPRESS)
	$(HERMETIC) $(MODULE) scripts.demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(WORKFLOW_TYPE),--workflow-type "$(WORKFLOW_TYPE)")

.PHONY: console
console: setup package-local ## Start a local AWS, apply the stack and serve its live page (PORT=8080)
	@$(HERMETIC) $(MODULE) scripts.demo --page $(if $(PORT),--port "$(PORT)")

.PHONY: test
test: ## Run every linter and every test
	@$(MAKE) --jobs=3 build/arm64/if-possible setup setup-checkov lint package package-local
	$(HERMETIC) $(MODULE) pytest $(PARALLEL) $(PYTEST_ARGS)

# Never made, so that it is tried again; behind the other programs, since apt runs once at a time.
build/arm64/if-possible: $(STAMP) system-packages
	@$(MAKE) package-arm64 || echo "Skipping the arm64 package: running it requires Debian 12." >&2

##@ Use a stack on AWS or on the local AWS: aliases of the command image-converter, which `pipx install .` installs

.PHONY: upload
upload: $(STAMP) ## Upload images to the source bucket (FILES="a.jpg b.jpg" WAIT=1 OUT=folder PREFIX=holiday)
	@$(COMMAND) upload $(FILES) $(if $(WAIT),--wait) $(if $(OUT),--out "$(OUT)") \
		$(if $(PREFIX),--prefix "$(PREFIX)") $(STACK)

.PHONY: watch
watch: $(STAMP) ## Follow the executions as they run (UNTIL_DONE=1 exits when none is running)
	@$(COMMAND) watch $(if $(UNTIL_DONE),--until-done) $(STACK)

.PHONY: status
status: $(STAMP) ## Show what happened to an image and where it is (IMAGE=holiday/beach.jpg)
	@$(COMMAND) status $(if $(IMAGE),"$(IMAGE)") $(STACK)

.PHONY: start
start: $(STAMP) ## Start an execution for an image again (IMAGE=holiday/beach.jpg)
	@$(COMMAND) start $(if $(IMAGE),"$(IMAGE)") $(STACK)

.PHONY: redrive
redrive: $(STAMP) ## Retry what failed and what was not handled (DRY_RUN=1 to preview, ALL=1 to include permanent failures)
	@$(COMMAND) redrive $(if $(filter-out 0,$(DRY_RUN)),--dry-run) $(if $(filter-out 0,$(ALL)),--all) $(STACK)

.PHONY: backfill
backfill: $(STAMP) ## Convert images that are already in the source bucket (PREFIX=2019/ MANIFEST=s3://... DRY_RUN=1 WAIT=1 RUN=name)
	@$(COMMAND) backfill $(if $(PREFIX),"$(PREFIX)") $(if $(MANIFEST),--manifest "$(MANIFEST)") \
		$(if $(RUN),--run "$(RUN)") $(HOW) $(STACK)

.PHONY: reprocess
reprocess: $(STAMP) ## Make outdated renditions again (PREFIX=2019/ DRY_RUN=1 WAIT=1)
	@$(COMMAND) reprocess $(if $(PREFIX),"$(PREFIX)") $(HOW) $(STACK)

.PHONY: destroy
destroy: $(STAMP) ## Destroy the stack; refuses if there are images (FORCE=1 deletes them first, ARGS= for Terraform)
	@$(NEEDS_TERRAFORM)
	@$(COMMAND) destroy $(if $(FORCE),--force) $(ARGS)

.PHONY: report
report: $(STAMP) ## Write pages about executions (EXECUTION=arn, HISTORY=file, or the newest ones)
	@$(COMMAND) report $(EXECUTION) $(if $(HISTORY),--history "$(HISTORY)") \
		$(if $(OUT),--out "$(OUT)") $(if $(NEWEST),--newest "$(NEWEST)") $(STACK)

.PHONY: cost
cost: $(STAMP) ## Calculate what a million images cost on AWS (EXECUTION=arn:... to use one of your executions)
	@$(COMMAND) cost $(if $(EXECUTION),--execution "$(EXECUTION)")

.PHONY: smoke
smoke: setup $(if $(findstring 127.0.0.1,$(AWS_ENDPOINT_URL)),package-local,package) ## Deploy, convert, verify and destroy once on an AWS account (asks first; CONFIRM=yes)
	@$(MODULE) scripts.smoke $(if $(CONFIRM),--confirm "$(CONFIRM)")

##@ Build

.PHONY: package
package: $(STAMP) ## Build the zips for AWS in build/package (RUNTIME=python3.13 ARCHITECTURE=arm64 FORMATS=webp,avif)
	$(MODULE) scripts.package $(if $(RUNTIME),--runtime "$(RUNTIME)") \
		$(if $(ARCHITECTURE),--architecture "$(ARCHITECTURE)") $(if $(FORMATS),--formats "$(FORMATS)") \
		--output build/package

.PHONY: package-local
package-local: $(STAMP) ## Build the zips for this machine in build/package-local
	$(MODULE) scripts.package --host --output build/package-local

.PHONY: package-arm64
package-arm64: $(STAMP) ## Build the zips for arm64 in build/arm64, and install qemu and a Python to run them
	@sh tests/support/system_packages.sh qemu-aarch64=qemu-user
	@sh tests/support/arm64_python.sh build/arm64/python
	$(MODULE) scripts.package --runtime python3.11 --architecture arm64 --output build/arm64/package

##@ Local AWS

.PHONY: local-up
local-up: ## Start a local AWS: eval "$(make -s local-up)" has terraform and aws use it in this shell (PORT=4566, PERSIST=1)
	@$(MAKE) setup package-local >&2
	@$(HERMETIC) $(COMMAND) local up --no-set-up --auth $(if $(PORT),--port "$(PORT)") $(if $(PERSIST),--persist)

.PHONY: local-down
local-down: $(STAMP) ## Stop the local AWS
	@$(HERMETIC) $(COMMAND) local down

##@ Develop this project

.PHONY: lint
lint: $(STAMP) ## Check style, types and Terraform's formatting
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	@$(NEEDS_TERRAFORM)
	terraform fmt -check -diff -recursive terraform

.PHONY: format
format: $(STAMP) ## Fix style and formatting
	$(DEV)/ruff check --fix .
	$(DEV)/ruff format .
	@$(NEEDS_TERRAFORM)
	terraform fmt -recursive terraform

.PHONY: test-unit
test-unit: $(STAMP) ## Run the unit tests of the functions (a minute)
	$(HERMETIC) $(MODULE) pytest tests/unit $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-fast
test-fast: $(STAMP) ## Run all tests that need neither Terraform nor packages
	$(HERMETIC) $(MODULE) pytest -m "not e2e and not terraform and not package and not arm64" $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-arm64
test-arm64: .venv/runtime/.stamp package-local package-arm64 ## Run the arm64 package under qemu and compare it with this machine's (Debian 12)
	$(HERMETIC) $(MODULE) pytest tests/scripts/package/test_arm64.py $(PYTEST_ARGS)

.PHONY: test-e2e
test-e2e: setup package-local ## Run the end-to-end tests on the local AWS
	$(HERMETIC) $(MODULE) pytest -m e2e $(PYTEST_ARGS)

.PHONY: soak
soak: $(STAMP) ## Run all interleavings and thousands of random histories (EXAMPLES=20000 SEED=1)
	$(HERMETIC) SOAK=1 $(MODULE) pytest tests/durability/simulation $(PYTEST_ARGS)

.PHONY: bench
bench: setup .venv/bench/.stamp ## Benchmark the conversion against other engines, on photos (ROUNDS=3)
	@command -v magick >/dev/null || sh tests/support/system_packages.sh convert-im6.q16=imagemagick-6.q16
	$(MODULE) tests.performance $(if $(ROUNDS),--rounds "$(ROUNDS)")

.PHONY: bench-renditions
bench-renditions: $(STAMP) ## Benchmark renditions against sharp: time, size and PSNR (ROUNDS=5)
	$(MODULE) tests.performance.renditions $(if $(ROUNDS),--rounds "$(ROUNDS)")

.PHONY: bench-latency
bench-latency: setup package-local ## Benchmark each hop from an upload to its PNG, on the local AWS (IMAGES=20)
	@$(HERMETIC) $(MODULE) tests.performance.latency $(if $(IMAGES),--images "$(IMAGES)")

.PHONY: bench-imports
bench-imports: $(STAMP) ## Benchmark the cold start: imports of each function (ROUNDS=15)
	$(MODULE) tests.performance.imports $(if $(ROUNDS),--rounds "$(ROUNDS)")

.PHONY: docs
docs: $(STAMP) ## Generate pages from code and tests: module READMEs, costs, bad images, fidelity
	$(MODULE) scripts.dev.docs.module_readmes
	$(MODULE) scripts.dev.docs.costs
	$(MODULE) tests.scripts.dev.docs.bad_images
	$(MODULE) tests.scripts.dev.docs.fidelity

.PHONY: pictures
pictures: setup system-packages package-local ## Draw the README's pictures again, from real runs on the local AWS
	$(HERMETIC) $(MODULE) scripts.dev.docs.pictures

.PHONY: test-deployer
test-deployer: setup package-local ## Apply and destroy on the local AWS with only the deployer's policy
	$(HERMETIC) $(MODULE) pytest tests/security/apply_as_deployer.py $(PYTEST_ARGS)

.PHONY: load
load: setup package-local ## Send bursts to a local AWS, kill functions and the local AWS itself, check the result (COUNTS=50,500 CRASH=60 BACKFILL=250 SEED=1)
	$(HERMETIC) $(MODULE) tests.durability.load $(if $(COUNTS),--counts "$(COUNTS)") \
		$(if $(CRASH),--crash "$(CRASH)") $(if $(BACKFILL),--backfill "$(BACKFILL)") $(if $(SEED),--seed "$(SEED)")

.PHONY: fuzz
fuzz: $(STAMP) ## Fuzz the converter with corrupted images (N=20000 SEED=1)
	$(MODULE) tests.durability.fuzz $(if $(N),--count "$(N)") $(if $(SEED),--seed "$(SEED)")

.PHONY: mutants
mutants: $(STAMP) ## Break one safety line at a time and see that tests notice (ONLY=s3_copy for one file)
	@$(NEEDS_TERRAFORM)
	$(HERMETIC) $(MODULE) tests.durability.mutants $(if $(ONLY),--only "$(ONLY)")

.PHONY: provider-6
provider-6: $(STAMP) ## Extract the schema of a 6.x AWS provider (PyPI, 70 MB) and check the configuration against it
	$(MODULE) tests.aws_contract.provider_schema
	$(MODULE) tests.aws_contract.provider_check

.PHONY: requirements
requirements: .venv/uv/.stamp ## Pin requirements/*.txt from requirements/*.in (UPGRADE=1 for newer versions)
	for name in uv layer dev runtime checkov awscli bench; do \
		( cd requirements && env -u PIP_FIND_LINKS ../.venv/uv/bin/uv pip compile --quiet --no-config \
			--universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) \
			$$(case "$$name" in layer) echo --no-deps;; dev) echo --constraint layer.txt;; esac) \
			"$$name.in" --output-file "$$name.txt" ) || exit 1; \
	done

##@ Set-up

.PHONY: setup
setup: $(STAMP) .venv/runtime/.stamp ## Create the Python environments; other targets call it
	@$(NEEDS_TERRAFORM)

.PHONY: setup-checkov
setup-checkov: .venv/checkov/.stamp ## Create the environment of checkov

.PHONY: setup-awscli
setup-awscli: .venv/awscli/.stamp ## Install version 1 of the aws command into .venv/awscli/bin

.PHONY: system-packages
system-packages: ## Install the programs that tests need in addition to Python and Terraform
	@sh tests/support/system_packages.sh

.PHONY: clean
clean: ## Remove all build output
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find lambda_src scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean ## Remove the environments as well
	rm -rf .venv

# uv installs in a tenth of pip's time, but does not read pip's configuration: where that names an index of
# one's own, pip installs.
.venv/%/.stamp: requirements/%.txt | .venv/uv/.stamp
	@$(@D)/bin/python -c "" 2>/dev/null || $(PYTHON) -m venv --clear --without-pip $(@D)
	@echo "Installing $<"
	@.venv/uv/bin/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r $< \
		|| .venv/uv/bin/python -m pip --python $(@D)/bin/python install --quiet --require-hashes -r $<
	@touch $@

.venv/uv/.stamp: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "There is no Python from 3.11 to 3.13 on PATH; this project" \
		"supports no other version of AWS Lambda. Install one, or name it: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(@D)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# A line for recipes, not a target: only recipes that run Terraform need it.
NEEDS_TERRAFORM = command -v terraform >/dev/null || { echo "There is no terraform on the PATH." \
	"Install Terraform 1.10 or newer and try again." >&2; exit 1; }
