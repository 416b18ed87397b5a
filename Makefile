# `make demo` and `make test` do all the set-up themselves, in .venv.
PYTHON ?= python3
BIN := .venv/bin
# A test starts many programs: each would compile all of ours anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-install test-kernel check docs pictures bench clean
help:
	@echo "make demo      watch a whole site on this machine"
	@echo "make test      ruff, mypy, the import rule and every test"
	@echo "make test-install  deploy/install in a Debian of its own; as root, with debootstrap"
	@echo "make test-kernel   a station on the kernel's simulators of pins and chips, in a virtual machine"
	@echo "make check     ruff, mypy and the import rule alone"
	@echo "make docs      the tables and the wiring of docs/, from the YAML"
	@echo "make pictures  the pictures of the documents, from the running program"
	@echo "make bench     the benchmarks"

demo: .venv/.for-demo
	@[ -z "$$DISPLAY" ] || $(MAKE) --no-print-directory .venv/.screens
	$(BIN)/pev-scada demo

test: check .venv/.apt .venv/.npm .venv/.screens
	$(BIN)/pytest -m "not alone"
	$(BIN)/pytest -m alone -n 0

test-install: .venv/.for-dev
	$(BIN)/python tests/deploy/install_in_debian.py

# Not a part of `make test`: benchmarks/pi_kernel/README.md says what it takes.
test-kernel: .venv/.for-dev
	@tests/apt-install qemu-system-x86_64=qemu-system-x86 gcc make xz=xz-utils \
		/usr/lib/x86_64-linux-gnu/libelf.so.1=libelf1 || true
	$(BIN)/python benchmarks/pi_kernel/vm.py

check: .venv/.for-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 0 tests/test_imports.py

docs: .venv/.for-dev
	$(BIN)/python docs/make_registers.py
	$(BIN)/python docs/make_wiring.py

pictures: .venv/.for-dev .venv/.apt .venv/.screens
	$(BIN)/python docs/make_pictures.py
	PEV_PICTURES=$(CURDIR)/docs/pictures $(BIN)/pytest $(wildcard tests/hmi/test_*_window.py)
	[ ! -d ../shared/data ] || $(BIN)/python docs/make_day_pictures.py

bench: .venv/.for-dev
	$(BIN)/python benchmarks/scan.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/conformance.py
	$(BIN)/python benchmarks/fuzz.py
	$(BIN)/python benchmarks/screens.py
	$(BIN)/python benchmarks/footprint.py
	$(BIN)/python benchmarks/power_flow.py
	$(BIN)/python benchmarks/chaos.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/.for-demo: .venv/.created pyproject.toml
	$(BIN)/pip install --quiet --editable '.[sim,hmi]'
	@touch $@

.venv/.for-dev: .venv/.created pyproject.toml
	$(BIN)/pip install --quiet --no-compile --editable '.[dev]'
	@touch $@ .venv/.for-demo

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pev-scada needs Python 3.11 or newer; name one with: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tests/apt-install python3-venv || \
		{ echo "Python's venv module is missing: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	@touch $@

# Tk and the fonts of the screens. Without them a station and a master run, and the demo stays in the terminal.
FONTS := /usr/share/fonts/truetype
.venv/.screens: tests/apt-install | .venv/.created
	@$(BIN)/python -c 'import tkinter' 2>/dev/null || tests/apt-install python3-tk || true
	@if $(BIN)/python -c 'import tkinter' 2>/dev/null && tests/apt-install \
		$(FONTS)/dejavu/DejaVuSans.ttf=fonts-dejavu-core $(FONTS)/wqy/wqy-microhei.ttc=fonts-wqy-microhei; \
		then touch $@; else echo "not all installed, and no windows: python3-tk and the fonts of the screens"; fi

# Other people's Modbus clients, and what they need; a test whose client is missing is skipped by name.
.venv/.apt: tests/apt-packages tests/apt-install | .venv/.created
	@if tests/apt-install $$(cat tests/apt-packages); then touch $@; \
		else echo "not all installed, and tests skipped:" $$(cat tests/apt-packages); fi

.venv/.npm: tests/strangers/package.json | .venv/.created .venv/.apt
	@mkdir -p .venv/strangers && cp tests/strangers/package.json .venv/strangers
	@if npm install --prefix .venv/strangers --no-package-lock --omit=optional --ignore-scripts \
		--no-audit --no-fund --loglevel=error --fetch-retries=1 >/dev/null; then touch $@; \
		else echo "not installed, and tests skipped: the clients from npm"; fi
