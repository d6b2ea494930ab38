# Two commands on a fresh machine: `make kursk` (the main job) and `make test`.
# Needs git, make, python3 with pip, and a package index. uv and the environment are set up here.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: kursk test browser lint types lock clean setup

BIN := .venv/bin
UV := .boot/bin/uv
OUT ?= out/kursk-2025-01-16

setup: .venv/.ok

.boot/bin/uv:
	python3 -m pip install -q --disable-pip-version-check --target .boot uv

.venv/.ok: requirements.lock pyproject.toml .python-version | $(UV)
	$(UV) venv -q --clear .venv || { echo "No Python $$(cat .python-version) here, and none could be fetched: install one (pyenv install 3.13) and run make again." >&2; exit 1; }
	$(UV) pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

kursk: .venv/.ok
	$(BIN)/attrition fit --known-by 2025-01-16 --out $(OUT)

test: .venv/.ok browser
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# In CI the browser tests need a Chromium, and fail without one; elsewhere they are skipped where there is none.
browser:
	@if [ -n "$$CI" ] && ! { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
		&& command -v apt-get >/dev/null; then \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update -q && $$as_root apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; \
	fi

lint: .venv/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ok
	$(BIN)/mypy

lock: | $(UV)
	$(UV) pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header -o requirements.lock

clean:
	rm -rf .venv .boot out dist
