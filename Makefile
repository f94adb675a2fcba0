# Everything runs in its own virtual environment, .venv, which the first command creates. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin

# The Cargo profile of the compiled module: `release`, or `quick`, which skips link-time optimisation (same bits).
PROFILE ?= release

# Results of the benchmarks; each adds its part.
BENCH_OUT ?= target/bench/bench.json

# Results of the studies; an interrupted study continues there.
CLAIMS_OUT ?= target/claims

# So that mkdocs does not advertise its successor.
export NO_MKDOCS_2_WARNING = 1

.PHONY: help demo dev build check test lint test-rust check-arm test-arm test-python test-quick test-long test-torch \
	test-wheel claims docs bench bench-kernels bench-instructions bench-speed bench-scaling bench-peers wheel licences package fuzz \
	fuzz-rust fuzz-python sanitize sanitize-address sanitize-memory clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

demo: build  ## build, then compare four rules on the bundled digits
	$(BIN)/tikitaka demo

dev: PROFILE = quick
dev: build  ## build the Python package quickly, for work on it

build: .venv/ready  ## build the Python package with all optimisations
	@$(BIN)/maturin develop --profile $(PROFILE) --quiet >.venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }

check: PROFILE = quick
check: lint test-rust check-arm test-quick  ## lint, types, Rust and Python tests: everything but slow tests, wheel and packaging

test: lint test-rust test-python test-wheel  ## every check and test

lint: build  ## formatting, lints, types, documentation of the crate
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

# The last lines check that every instruction set of this machine gives the same bits.
test-rust:  ## Rust tests, on every instruction set of this machine
	cargo test --quiet --features files
	cargo test --quiet --features files --examples
	paths=$$(cargo run --quiet --profile test --features files --example paths) && for path in $$paths; do \
		TIKITAKA_SIMD=$$path cargo test --quiet --features files --test reproducible --test paths --test sequences \
			|| exit 1; \
	done

ARM = aarch64-unknown-linux-gnu
ARM_ENV = CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU

# `rustup target add aarch64-unknown-linux-gnu` installs it.
check-arm:  ## compile for AArch64, if its target is installed
	@if [ -d "$$(rustc --print sysroot)/lib/rustlib/$(ARM)" ]; then cargo check --quiet --tests --target $(ARM); \
		else echo "AArch64 is not checked: rustup target add $(ARM)"; fi

# Debian has the emulator and the linker: qemu-user, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross.
test-arm:  ## the bits on AArch64, in an emulator
	$(ARM_ENV)_LINKER=aarch64-linux-gnu-gcc $(ARM_ENV)_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
		cargo test --quiet --target $(ARM) --lib --test reproducible --test paths --test sequences

test-python: build  ## Python tests
	$(BIN)/python -m pytest -n auto --dist loadfile

test-quick: build  ## Python tests, without the slow ones
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-long: build  ## bad input and kills by the thousand: 10,000 command lines and RUN folders, 1,000 kills (hours)
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/robustness

# PyTorch from PyPI includes CUDA on Linux (6 GB on disk). For the small CPU build, if its index can be reached, set
# TORCH_INDEX=https://download.pytorch.org/whl/cpu
.venv-torch/ready: pyproject.toml
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(if $(TORCH_INDEX),.venv-torch/bin/python -m pip install --quiet "torch>=2.6" --index-url $(TORCH_INDEX))
	.venv-torch/bin/python -m pip install --quiet --group torch
	touch $@

test-torch: .venv/ready .venv-torch/ready  ## tests against PyTorch, in an environment of their own (a large download)
	VIRTUAL_ENV=$(CURDIR)/.venv-torch $(BIN)/maturin develop --release --quiet
	.venv-torch/bin/python -m pytest tests/pytorch

claims: build  ## what each rule tolerates, at quick scale (20 minutes; mnist and war-and-peace in TIKITAKA_DATA)
	for claim in states update-noise mvm-noise reference; do \
		$(BIN)/tikitaka reproduce $$claim --scale quick --out $(CLAIMS_OUT)/$$claim || exit 1; \
	done
	$(BIN)/tikitaka reproduce states --net lstm --scale quick --out $(CLAIMS_OUT)/states-lstm
	$(BIN)/tikitaka reproduce networks --scale quick --out $(CLAIMS_OUT)/networks

# The benchmarks use real data if TIKITAKA_DATA names a folder with mnist and war-and-peace, and compare with aihwkit if
# TIKITAKA_AIHWKIT_PYTHON names a Python that has it. The numbers are only as good as the machine is quiet: see the
# control of bench-scaling.
bench: build  ## every benchmark (20 minutes)
	rm -f $(BENCH_OUT)
	$(MAKE) --no-print-directory -j1 bench-kernels bench-instructions bench-speed bench-scaling bench-peers

bench-kernels: build  ## time of single operations
	$(BIN)/python benches/kernels.py --json $(BENCH_OUT)

bench-instructions: build  ## instruction counts (valgrind)
	$(BIN)/python benches/instructions.py --json $(BENCH_OUT)

bench-speed: build  ## samples per second of whole trainings
	$(BIN)/python benches/speed.py --json $(BENCH_OUT)

bench-scaling: build  ## one thread against two, and time against array size
	$(BIN)/python benches/scaling.py --json $(BENCH_OUT) --plot $(basename $(BENCH_OUT)).png

bench-peers: build  ## comparison with aihwkit and PyTorch
	$(BIN)/python benches/peers.py --json $(BENCH_OUT)

.venv-docs/ready: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-docs/bin/python -m pip install --quiet --group docs
	touch $@

# Reads the sources; nothing needs to be built.
docs: .venv-docs/ready  ## the documentation as a site, in site/
	.venv-docs/bin/mkdocs build --strict --quiet

# Maturin packs the sources, builds the wheel from them alone, and gives it the tag that its symbols allow. Packed files
# are all dated 2006, so cargo would take an older build of this crate for theirs: only other crates are kept.
PACKED = $(CURDIR)/target/packed

# On Linux with glibc, zig from PyPI links the wheel for glibc 2.28 (manylinux_2_28), which may be older than this one.
GLIBC = import platform, sys, ziglang; sys.exit(platform.libc_ver()[0] != "glibc")
ZIG = $(shell $(BIN)/python -c '$(GLIBC)' 2>/dev/null && echo --zig --compatibility manylinux_2_28)

wheel: .venv/ready  ## the source distribution and the abi3 wheel, in dist/
	rm -f dist/tikitaka-*
	cargo clean --quiet --release --package tikitaka --target-dir $(PACKED)
	CARGO_TARGET_DIR=$(PACKED) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin build --release --sdist --out dist $(ZIG)

test-wheel: build wheel  ## make wheel, then install both into empty environments and use them there
	$(BIN)/python -m pytest tests/packaging

licences: .venv/ready  ## THIRD-PARTY.txt, after a change of Cargo.lock (make test-wheel says when)
	$(BIN)/python tests/packaging/licences.py

package:  ## the crate as it would be published, built by itself
	cargo package --allow-dirty

FUZZ_SECONDS ?= 60
FUZZERS = target/fuzzers

fuzz: fuzz-rust fuzz-python  ## random bytes for everything that reads files, FUZZ_SECONDS=60 for each target

$(FUZZERS)/bin/cargo-fuzz:
	cargo install --quiet cargo-fuzz --locked --root $(FUZZERS)

# New inputs go into target/fuzz/; the corpus in fuzz/corpus/, which `make test` replays, stays as it is.
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
	for name in idx text model pulses; do \
		mkdir -p target/fuzz/$$name && PYTHONPATH=python .venv-fuzz/bin/python fuzz/readers.py $$name \
			target/fuzz/$$name fuzz/corpus/$$name -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

# A sanitizer needs a named target: without one it would also instrument build scripts and macros.
TARGET = $(shell rustc --print host-tuple)
TARGET_ENV = $(shell rustc --print host-tuple | tr a-z- A-Z_)

VALGRIND = valgrind --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--fair-sched=yes

sanitize: sanitize-address sanitize-memory  ## the Rust tests under AddressSanitizer and valgrind

# RUSTC_BOOTSTRAP unlocks the sanitizer on the stable toolchain.
sanitize-address:
	paths=$$(cargo run --quiet --profile test --example paths) && for path in $$paths; do \
		TIKITAKA_SIMD=$$path RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address \
			cargo test --target $(TARGET) --lib --tests || exit 1; \
	done

# Valgrind does not support AVX-512 and tells the program so, which then takes AVX2; it runs one thread at a time.
sanitize-memory:
	for path in baseline avx2; do \
		TIKITAKA_SIMD=$$path CARGO_TARGET_$(TARGET_ENV)_RUNNER="$(VALGRIND)" \
			cargo test --target $(TARGET) --lib --tests || exit 1; \
	done

clean:  ## remove everything that was built
	rm -rf .venv .venv-docs .venv-fuzz .venv-torch dist site target python/tikitaka/_core*.so
