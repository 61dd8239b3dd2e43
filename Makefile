# A thin front for CMake. Every target works on a fresh machine: it sets up what is missing first.
.PHONY: demo test faults fuzz accuracy honest paper downloads bench cache inspector build check format docs setup clean
SHELL := /bin/bash
JOBS ?= $(shell nproc)
DEMO_DATA ?= data/emoji
DEMO_RUN ?= runs/emoji
PICTURES ?= data/emoji/images
BENCH = .venv-bench/bin/python

build: setup
	@test -f build/release/build.ninja || cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) | grep -vE '^\[[0-9]+/[0-9]+\]|no work to do' || test $${PIPESTATUS[0]} -eq 0

demo: build
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@build/release/diptych compare $(DEMO_DATA) -o $(DEMO_RUN) --overwrite

test: build
	@ctest --preset release -j $(JOBS)

# Kills training and comparison at 30 moments each, one of two processes at 20, and resumes them; takes
# some minutes.
faults: build
	@ctest --test-dir build/release -L slow -R ^faults --verbose

# Readers and decoders on 10,000 mutated files of each format, under the address and the undefined
# behaviour sanitizers; takes some minutes after its build.
fuzz: setup
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS) --target image_fuzz exif_fuzz table_fuzz tar_fuzz list_fuzz
	@ctest --test-dir build/asan -L slow -R ^fuzz --verbose

# Holds the accuracy of both presets, and of Korean text, against what is expected; some 10 minutes.
accuracy: build
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@bench/accuracy.sh $(DEMO_DATA) runs/accuracy

# Shuffles the text 20 times, and no more than once may it be said to help; short trainings.
honest: build
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@bench/shuffled_text.sh $(DEMO_DATA) runs/shuffled --epochs 8

# Times Diptych beside its peers doing the same work, in a virtual environment of its own, and writes
# docs/performance.md; an hour. BENCH_ROUNDS: turns of each, 5; LONG=1: whole comparisons, accuracy
# after equal epochs and a clean build as well, an hour more.
bench: build
	@test -x .venv-bench/bin/python || python3 -m venv .venv-bench
	@$(BENCH) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@missed=0; \
	for case in 'decode.py build/release/bench/decode_bench' 'cold_start.py build/release/diptych' \
	    'training.py build/release/diptych $(DEMO_DATA)' 'epochs.py build/release/diptych' 'growth.py build/release/diptych' \
	    'predict.py build/release/diptych build/release/bench/predict_bench' 'processes.py build/release/diptych $(DEMO_DATA)' \
	    $(if $(LONG),'compare.py build/release/diptych $(DEMO_DATA)' 'equal_epochs.py build/release/diptych $(DEMO_DATA)' build_time.py); do \
	  echo "== $$case"; \
	  $(BENCH) bench/$$case || missed=1; \
	done; \
	$(BENCH) bench/performance_page.py >docs/performance.md; exit $$missed

# The paper in one command: 2,500 pictures behind a server and tables in the shape of COYO become a
# sample of 2,000, its comparison and its report; some 5 minutes.
paper: build
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@bench/coyo.sh $(DEMO_DATA) runs/coyo

# Opens a million rows, streams 100,000 pictures from shards through the file of decoded ones in
# constant memory, and times cached epochs; takes up to 2 GB of the disk for that time.
cache: build
	@.venv/bin/python bench/open_rows.py build/release/bench/open_rows runs/open_rows
	@build/release/bench/pixel_cache_bench memory 100000 runs/pixel_cache
	@build/release/bench/pixel_cache_bench speed 2000 runs/pixel_cache

# Plants copies, wrong labels and label words, and holds what the inspector finds of them.
inspector: build
	@test -f $(DEMO_DATA)/data.csv || build/release/diptych sample emoji $(DEMO_DATA)
	@bench/inspect.sh $(DEMO_DATA)

# Fetches 20,000 URLs from every kind of bad server, killed 20 times; then the speed beside
# img2dataset's, and pictures that were swapped. PICTURES: a folder of photographs. Takes half an hour.
downloads: build
	@.venv/bin/python tests/download/kill_fetch.py build/release/diptych 20000 20
	@.venv/bin/python bench/swapped.py build/release/diptych $(PICTURES)
	@FORMATS_PYTHON=.venv-formats/bin/python .venv/bin/python bench/download_speed.py \
	  build/release/diptych $(PICTURES)

# The pages that the program writes itself.
docs: build
	@for page in options commands; do build/release/diptych docs $$page >docs/$$page.md; done

check: setup
	@tests/check_style.sh

format: setup
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

setup:
	@setup/setup.sh

clean:
	rm -rf build
