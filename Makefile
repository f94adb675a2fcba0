# Everything runs in a virtual environment of its own, .venv, which the first command makes.

PYTHON ?= python3
BIN := .venv/bin

# Results of the benchmarks; each adds its part.
BENCH_OUT ?= target/bench/bench.json

# So that the builder does not advertise its successor.
export NO_MKDOCS_2_WARNING = 1

.PHONY: help demo build claims docs test test-rust test-python test-torch lint bench bench-kernels bench-instructions bench-speed \
	bench-scaling bench-peers wheel clean

help:
	@echo "make demo    build, then compare float, sgd, ttv1 and ttv2 on the bundled digits"
	@echo "make test    build, then every check and test, Rust and Python"
	@echo "make test-torch  the tests against PyTorch, in an environment of its own (a large download)"
	@echo "make bench   every benchmark: bench-kernels, bench-instructions, bench-speed, bench-scaling, bench-peers (20 minutes)"
	@echo "make claims  what each rule tolerates, at quick scale (15 minutes; MNIST in TIKITAKA_DATA)"
	@echo "make docs    the documentation as a site, in site/ (in an environment of its own)"
	@echo "make wheel   the source distribution, and the abi3 wheel built from it, in dist/"
	@echo "make test-wheel  make wheel, then install both into empty environments and use them there"
	@echo "make package     the crate as it would be published, built by itself"
	@echo "make licences    THIRD-PARTY.txt: the licences of the crates in the wheel"
	@echo "make fuzz    random bytes for everything that reads files, FUZZ_SECONDS=60 for each target"
	@echo "make sanitize    the Rust tests under AddressSanitizer and under valgrind"
	@echo "make clean   remove what was built"

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

build: .venv/ready
	@$(BIN)/maturin develop --release --quiet >.venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }

demo: build
	$(BIN)/tikitaka demo

# Where the results go; a run that was interrupted goes on there.
CLAIMS_OUT ?= target/claims

claims: build
	for claim in states update-noise mvm-noise reference; do \
		$(BIN)/tikitaka reproduce $$claim --scale quick --out $(CLAIMS_OUT)/$$claim || exit 1; \
	done
	$(BIN)/tikitaka reproduce networks --scale quick --out $(CLAIMS_OUT)/networks

test: lint test-rust test-python test-wheel

lint: build
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --all-targets --features python -- -D warnings
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps
	! cargo tree -e normal | grep pyo3
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tikitaka._core

# The last lines prove the same bits on every instruction set that the machine has.
test-rust:
	cargo test --quiet
	cargo test --quiet --features files --test corpus --lib checkpoint
	cargo test --quiet --examples
	paths=$$(cargo run --quiet --profile test --example paths) && for path in $$paths; do \
		TIKITAKA_SIMD=$$path cargo test --quiet --test reproducible --test paths --test sequences || exit 1; \
	done

test-python: build
	$(BIN)/python -m pytest

# PyTorch of PyPI brings CUDA on Linux (6 GB on disk); for the small CPU build give
# TORCH_INDEX=https://download.pytorch.org/whl/cpu where that can be reached.
.venv-torch/ready: pyproject.toml
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(if $(TORCH_INDEX),.venv-torch/bin/python -m pip install --quiet "torch>=2.1" --index-url $(TORCH_INDEX))
	.venv-torch/bin/python -m pip install --quiet --group torch
	touch $@

test-torch: .venv/ready .venv-torch/ready
	VIRTUAL_ENV=$(CURDIR)/.venv-torch $(BIN)/maturin develop --release --quiet
	.venv-torch/bin/python -m pytest tests/pytorch

# On real data where TIKITAKA_DATA names a folder with mnist and war-and-peace; against aihwkit where TIKITAKA_AIHWKIT_PYTHON names a
# Python that has it. Numbers are worth what the machine is quiet: the control of bench-scaling tells.
bench: build
	rm -f $(BENCH_OUT)
	$(MAKE) --no-print-directory -j1 bench-kernels bench-instructions bench-speed bench-scaling bench-peers

bench-kernels: build
	$(BIN)/python benches/kernels.py --json $(BENCH_OUT)

bench-instructions: build
	$(BIN)/python benches/instructions.py --json $(BENCH_OUT)

bench-speed: build
	$(BIN)/python benches/speed.py --json $(BENCH_OUT)

bench-scaling: build
	$(BIN)/python benches/scaling.py --json $(BENCH_OUT) --plot $(basename $(BENCH_OUT)).png

bench-peers: build
	$(BIN)/python benches/peers.py --json $(BENCH_OUT)

.venv-docs/ready: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-docs/bin/python -m pip install --quiet --group docs
	touch $@

# Reads the sources, and needs nothing built.
docs: .venv-docs/ready
	.venv-docs/bin/mkdocs build --strict --quiet

.PHONY: test-wheel licences package sanitize sanitize-address sanitize-memory

# Maturin packs the sources, builds the wheel from them alone, and gives it the tag that its symbols allow. Packed files
# are all dated 2006, so that cargo would take an older build of ours for theirs: only other crates are kept.
PACKED = $(CURDIR)/target/packed

wheel: .venv/ready
	rm -f dist/tikitaka-*
	cargo clean --quiet --release --package tikitaka --target-dir $(PACKED)
	CARGO_TARGET_DIR=$(PACKED) $(BIN)/maturin build --release --sdist --out dist

test-wheel: build wheel
	$(BIN)/python -m pytest tests/packaging

# After a change of Cargo.lock: make test-wheel says when.
licences: .venv/ready
	$(BIN)/python tests/packaging/licences.py

package:
	cargo package --allow-dirty

.PHONY: fuzz fuzz-rust fuzz-python

FUZZ_SECONDS ?= 60
FUZZERS = target/fuzzers

fuzz: fuzz-rust fuzz-python

$(FUZZERS)/bin/cargo-fuzz:
	cargo install --quiet cargo-fuzz --locked --root $(FUZZERS)

# New inputs go into target/fuzz/, and the corpus in fuzz/corpus/ stays what `make test` replays.
fuzz-rust: $(FUZZERS)/bin/cargo-fuzz
	for name in decode restore; do \
		mkdir -p target/fuzz/$$name && PATH=$(CURDIR)/$(FUZZERS)/bin:$$PATH RUSTC_BOOTSTRAP=1 \
			cargo fuzz run $$name target/fuzz/$$name fuzz/corpus/$$name -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

.venv-fuzz/ready: pyproject.toml
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-fuzz/bin/python -m pip install --quiet --group fuzz
	touch $@

fuzz-python: build .venv-fuzz/ready
	for name in idx text model; do \
		mkdir -p target/fuzz/$$name && PYTHONPATH=python .venv-fuzz/bin/python fuzz/readers.py $$name \
			target/fuzz/$$name fuzz/corpus/$$name -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

# Where a sanitizer is to run, a target must be named: without one it would also go into build scripts and macros.
TARGET = $(shell rustc --print host-tuple)
TARGET_ENV = $(shell rustc --print host-tuple | tr a-z- A-Z_)

VALGRIND = valgrind --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--fair-sched=yes

sanitize: sanitize-address sanitize-memory

# On the stable toolchain, which has the sanitizer but hides it.
sanitize-address:
	paths=$$(cargo run --quiet --profile test --example paths) && for path in $$paths; do \
		TIKITAKA_SIMD=$$path RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address \
			cargo test --target $(TARGET) --lib --tests || exit 1; \
	done

# Valgrind knows no AVX-512 and says so to the program, which then takes AVX2; it runs one thread at a time.
sanitize-memory:
	for path in baseline avx2; do \
		TIKITAKA_SIMD=$$path CARGO_TARGET_$(TARGET_ENV)_RUNNER="$(VALGRIND)" \
			cargo test --target $(TARGET) --lib --tests || exit 1; \
	done

clean:
	rm -rf .venv .venv-docs .venv-fuzz .venv-torch dist site target python/tikitaka/_core*.so
