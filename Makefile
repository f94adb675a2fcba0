# Everything runs in a virtual environment of its own, .venv, which the first command makes.

PYTHON ?= python3
BIN := .venv/bin

# Results of the benchmarks; each adds its part.
BENCH_OUT ?= target/bench/bench.json

.PHONY: help demo build claims test test-rust test-python test-torch lint bench bench-kernels bench-instructions bench-speed \
	bench-scaling bench-peers wheel clean

help:
	@echo "make demo    build, then compare float, sgd, ttv1 and ttv2 on the bundled digits"
	@echo "make test    build, then every check and test, Rust and Python"
	@echo "make test-torch  the tests against PyTorch, in an environment of its own (a large download)"
	@echo "make bench   every benchmark: bench-kernels, bench-instructions, bench-speed, bench-scaling, bench-peers (12 minutes)"
	@echo "make claims  what each rule tolerates, at quick scale (15 minutes; MNIST in TIKITAKA_DATA)"
	@echo "make wheel   the abi3 wheel and the source distribution, in dist/"
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

test: lint test-rust test-python

lint: build
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --all-targets --features python -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps
	! cargo tree -e normal | grep pyo3
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tikitaka._core

# The last three lines prove the same bits on every instruction set that the machine has.
test-rust:
	cargo test --quiet
	cargo test --quiet --examples
	TIKITAKA_SIMD=baseline cargo test --quiet --test reproducible --test paths --test sequences
	TIKITAKA_SIMD=avx2 cargo test --quiet --test reproducible --test paths --test sequences
	TIKITAKA_SIMD=avx512 cargo test --quiet --test reproducible --test paths --test sequences

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

wheel: .venv/ready
	$(BIN)/maturin build --release --sdist --out dist

clean:
	rm -rf .venv .venv-torch dist target python/tikitaka/_core*.so
