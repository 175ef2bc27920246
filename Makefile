# Thin: everything is done by meson and by the scripts in tools/.

PREFIX ?= /usr/local
RELEASE = build/release

all: $(RELEASE)/build.ninja
	@ninja -C $(RELEASE)

$(RELEASE)/build.ninja:
	@tools/deps build
	@meson setup $(RELEASE) --buildtype=debugoptimized --prefix=$(PREFIX)

demo:
	@tools/deps build demo
	@$(MAKE) --no-print-directory all
	@tools/guest-kernel
	@tools/demo up

demo-clean:
	@tools/demo down

check check-long:
	@tools/deps build test demo deb || \
		{ echo "0 passed, 1 failed, 0 skipped"; exit 1; }
	@tools/check $(if $(filter %-long,$@),--long)

bench:
	@tools/deps build bench
	@$(MAKE) --no-print-directory all
	@tests/bench/run

fuzz:
	@tools/deps build test
	@tools/fuzz

lint:
	@tools/deps build test
	@tools/lint

format:
	@tools/lint --format

deb:
	@tools/deps build deb
	@tools/deb

deps:
	@tools/deps build test demo

install: all
	@meson install -C $(RELEASE) --no-rebuild

clean:
	@rm -rf build

.PHONY: all demo demo-clean check check-long bench fuzz lint format deb \
	deps install clean
