# Two commands do everything on a fresh machine: `make run` and `make test`.
PY = .venv/bin/python
CONFIG ?= config.yaml
AS = bob
URL = sandbox
WORKERS ?= auto

.PHONY: run chat test check soak bench lock clean

run:            ## a bot with its own local TIM server, no account and no network needed
	@tools/setup run
	@[ -e "$(CONFIG)" ] || cp config.example.yaml "$(CONFIG)"
	@exec $(PY) -m timbot run $(CONFIG)

chat:           ## talk to the bot of `make run`: make chat AS=alice; on another port: make chat URL=ws://127.0.0.1:9000
	@tools/setup run
	@exec $(PY) -m timbot chat --as $(AS) --url $(URL)

check:          ## formatting, lint, types, the layers
	@tools/setup test
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache

# One worker for each core, but not more than four: by then the longest file is what takes its time.
test: check     ## the checks and every test, the official SDK's included; in one process: make test WORKERS=0
	$(PY) -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

soak:           ## a bot killed with -9 again and again while people talk: make soak SOAK="--kills 20 --messages 2000 --seed 7"
	@tools/setup test
	$(PY) -m tests.chaos $(SOAK)

bench:          ## what a message costs, printed as ratios
	@tools/setup test
	$(PY) -m benchmarks

lock:           ## renew requirements/*.txt after a change of pyproject.toml (needs uv)
	uv pip compile -q pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/run.txt
	uv pip compile -q pyproject.toml --group test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/test.txt

clean:
	rm -rf .venv tests/judge/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
