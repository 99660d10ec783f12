# Everything from a bare Python 3.11: `make demo`, `make test`. Paths are quoted: a folder may have spaces.
SHELL := /bin/sh
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN := .venv/bin/python

.PHONY: demo test test-long check format bench bench-long eval local-ai up clean

demo: .venv/.done
	$(RUN) -m starter demo

test: .venv/.done
	$(RUN) -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder

test-long: .venv/.done .venv/.local-ai
	$(RUN) -m pytest -q -m "long or not long" --timeout 1200

check: .venv/.done
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

format: .venv/.done
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: .venv/.done
	$(RUN) -m benchmarks

# Full sizes that take ten minutes and much disk.
bench-long: .venv/.done
	$(RUN) -m benchmarks --long

# Fixed cases put to the model that AI_MODEL names.
eval: .venv/.done
	$(RUN) -m evaluations

# A small model for this machine: 270 MB more to fetch, so only for who wants it.
local-ai: .venv/.local-ai

up: .venv/.done
	$(RUN) -m starter up

# What runs there is stopped before its data goes, also what a stack keeps outside its folder; a broken
# environment is no reason not to clean.
clean:
	-@for home in .caravan/simulation .caravan/demo .caravan; do [ ! -e $$home/stack.json ] || $(RUN) -c "import sys, pathlib; \
		from caravan.stack.stack import Stack; Stack(pathlib.Path(sys.argv[1])).discard(print)" $$home; done
	rm -rf .venv .caravan

# The tree itself goes on the path: scripts of a virtual environment break where a folder has spaces.
.venv/.done: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it and try again" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(RUN) -c "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'caravan-tree.pth').write_text(str(pathlib.Path.cwd()) + '\n', encoding='utf-8')"
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m starter "$$@"\n' > .venv/bin/caravan && chmod +x .venv/bin/caravan
	@touch .venv/.done

.venv/.local-ai: requirements-local-ai.lock .venv/.done
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-local-ai.lock
	@touch .venv/.local-ai
