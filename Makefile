# SPDX-License-Identifier: Apache-2.0
# Builds two programs: build/devenv (the launcher: static, libc only) and build/devenv-core (the planner). See README.md.
# Variables: PREFIX DESTDIR CC CFLAGS DEV=1 (warnings are errors) SAN=1 (ASan + UBSan, in build/san) V=1 (show commands)

VERSION = 0.1.0
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
FUZZ_SECONDS ?= 20
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

BUILD_PACKAGES = gcc libc6-dev pkg-config musl-tools linux-libc-dev libgit2-dev libarchive-dev libcurl4-openssl-dev \
	libinih-dev libssl-dev libjansson-dev libseccomp-dev libsystemd-dev zlib1g-dev libzstd-dev liblzma-dev gpgv ca-certificates \
	$(if $(filter x86_64 aarch64,$(shell uname -m)),libisal-dev)
TEST_PACKAGES = libcmocka-dev git valgrind $(shell cat tests/packages)

# Flavours: each has its own directory of objects, so they never mix.
FLAVOUR := $(if $(SAN),san,$(if $(COVERAGE),coverage,$(if $(FUZZ),libfuzzer,)))
B := build$(FLAVOUR:%=/%)
CC := $(if $(FUZZ),clang,$(if $(filter default,$(origin CC)),gcc,$(CC)))
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DDEVENV_SANITIZE
instrument := $(if $(SAN),$(sanitize)) $(if $(COVERAGE),--coverage -O0) $(if $(FUZZ),$(sanitize) -fsanitize=fuzzer-no-link)
fortify := $(if $(FLAVOUR),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
Q := $(if $(V),,@)

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
	-Wformat=2 -Wno-missing-field-initializers $(if $(DEV),-Werror)
common := -std=gnu17 $(warnings) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Idevenv -DDEVENV_VERSION='"$(VERSION)"' -MMD -MP
ours := $(common) -include devenv/base/banned.h -fstack-protector-strong -fPIE
relro := -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed

libraries := libgit2 libarchive libcurl inih libcrypto jansson libseccomp zlib libzstd liblzma
isal := $(shell pkg-config --exists libisal 2>/dev/null && echo libisal)
systemd := $(shell pkg-config --exists libsystemd 2>/dev/null && echo libsystemd)
core_cflags = $(ours) $(fortify) $(instrument) $(shell pkg-config --cflags $(libraries) $(isal) $(systemd)) $(isal:%=-DHAVE_ISAL) $(systemd:%=-DHAVE_SYSTEMD)
core_libs = $(shell pkg-config --libs $(libraries) $(isal) $(systemd)) -lpthread

launcher_sources := $(filter-out devenv/base/digest.c,$(wildcard $(addprefix devenv/,$(addsuffix /*.c,base plan sandbox launcher))))
core_sources := $(wildcard $(addprefix devenv/,$(addsuffix /*.c,base plan config fetch store layer source env service cli)))
core_objects := $(core_sources:devenv/%.c=$(B)/core/%.o)
# Tests link what they need of everything but the two main(): the sandbox's code too, in the core's flavour.
test_objects := $(filter-out %/main.o,$(core_objects) $(patsubst devenv/%.c,$(B)/core/%.o,$(wildcard devenv/sandbox/*.c devenv/launcher/*.c)))
unit_tests := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
unit_support := $(patsubst tests/unit/%.c,$(B)/tests/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

# The launcher: musl as static PIE; else glibc, static; else dynamic. (musl-gcc -static-pie makes a dynamic program.)
musl_dir := $(patsubst %/rcrt1.o,%,$(firstword $(wildcard /usr/lib/$(shell uname -m)-linux-musl/rcrt1.o /usr/lib/musl/lib/rcrt1.o /usr/local/musl/lib/rcrt1.o)))
libc := $(if $(FLAVOUR),dynamic,$(if $(and $(musl_dir),$(shell command -v musl-gcc)),musl,$(if $(wildcard $(shell $(CC) -print-file-name=libc.a)),static,dynamic)))
launcher_objects := $(launcher_sources:devenv/%.c=$(B)/launcher/$(libc)/%.o)
sections := -ffunction-sections -fdata-sections
kernel_headers := build/kernel-headers
gcc_file = $(shell gcc -print-file-name=$(1))
ifeq ($(libc),musl)
launcher_cc := musl-gcc -isystem $(kernel_headers)
launcher_link = musl-gcc -nostartfiles -static -Wl,-pie,--no-dynamic-linker,-z,relro,-z,now,-z,noexecstack,--gc-sections \
	$(musl_dir)/rcrt1.o $(musl_dir)/crti.o $(call gcc_file,crtbeginS.o) $(launcher_objects) $(call gcc_file,crtendS.o) $(musl_dir)/crtn.o
else
launcher_cc := $(CC) $(instrument) $(fortify)
launcher_link = $(CC) $(instrument) $(if $(filter static,$(libc)),-static-pie,-pie) $(relro) -Wl,--gc-sections $(launcher_objects)
endif

all: $(B)/devenv $(B)/devenv-core ## build both programs (the default)

$(B)/devenv: $(launcher_objects)
	$(if $(filter dynamic,$(libc))$(FLAVOUR),$(if $(FLAVOUR),,@echo "warning: neither musl-gcc nor a static libc: build/devenv is dynamic, so every start is slower"))
	@echo "  LINK    $@ ($(libc))"
	$(Q)$(launcher_link) -o $@

$(B)/devenv-core: $(core_objects)
	@echo "  LINK    $@"
	$(Q)$(CC) $(instrument) -pie $(relro) $(LDFLAGS) -o $@ $(core_objects) $(core_libs)

$(B)/core/%.o: devenv/%.c Makefile
	@mkdir -p $(@D); echo "  CC      $<"
	$(Q)$(CC) $(CFLAGS) $(core_cflags) -c -o $@ $<

$(B)/launcher/$(libc)/%.o: devenv/%.c Makefile | $(kernel_headers)
	@mkdir -p $(@D); echo "  CC      $< (launcher)"
	$(Q)$(launcher_cc) $(CFLAGS) $(ours) $(sections) -c -o $@ $<

# musl-gcc looks at no system directory; the kernel's headers alone are let in.
$(kernel_headers):
	@mkdir -p $@ && ln -sfn /usr/include/linux $@/linux && ln -sfn /usr/include/asm-generic $@/asm-generic && \
	ln -sfn $(firstword $(wildcard /usr/include/$(shell gcc -print-multiarch)/asm /usr/include/asm)) $@/asm

$(B)/tests/devenv.a: $(test_objects)
	@echo "  AR      $@"; mkdir -p $(@D); rm -f $@
	$(Q)ar rcs $@ $^

$(B)/tests/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D); echo "  CC      $<"
	$(Q)$(CC) $(CFLAGS) $(common) $(instrument) -Itests -c -o $@ $<

$(B)/tests/%: $(B)/tests/%.o $(unit_support) $(B)/tests/devenv.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(instrument) -o $@ $< $(unit_support) $(B)/tests/devenv.a $(core_libs) -lcmocka

$(B)/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(B)/tests/devenv.a Makefile
	@echo "  REPLAY  $<"; mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(common) $(instrument) -o $@ $< tests/fuzz/replay.c $(B)/tests/devenv.a $(core_libs)

$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(B)/tests/devenv.a Makefile
	@echo "  FUZZER  $<"; mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(common) $(instrument) -fsanitize=fuzzer -o $@ $< $(B)/tests/devenv.a $(core_libs)

test-programs: $(unit_tests) $(fuzz_names:%=$(B)/fuzz/replay_%)

# What is installed decides how it is built, so these look again once it is.
demo: deps ## show in a minute what it does
	@$(MAKE) --no-print-directory all
	tests/demo.sh

test: deps test-deps ## everything that decides whether a change is good
	@$(MAKE) --no-print-directory all test-programs
	BUILD=$(B) tests/run lint unit fuzz e2e
test-unit: all $(unit_tests) ## the unit tests; T=base_buf runs one
	BUILD=$(B) tests/run unit $(T)
test-e2e: all ## the tests that use the programs as a user does; T=FILE runs one
	BUILD=$(B) tests/run e2e $(T)
test-faults: all ## kill -9 and errors at every system call (minutes)
	BUILD=$(B) tests/run faults
test-san: ## unit tests and fuzz corpora under ASan and UBSan
	$(MAKE) SAN=1 test-programs
	BUILD=build/san tests/run unit fuzz
test-valgrind: $(unit_tests) ## unit tests under valgrind
	BUILD=$(B) TEST_WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
	--show-leak-kinds=definite --child-silent-after-fork=yes --suppressions=tests/valgrind.supp" tests/run unit
test-resolver: $(B)/tests/test_source_debian_apt ## 60 sets of packages of every Debian suite beside apt-get (minutes)
	DEVENV_RESOLVER_SETS=60 DEVENV_RESOLVER_SUITES="bullseye bookworm trixie sid" $<
test-bases: all $(B)/tests/test_source_debian_base ## whole bases of every Debian suite, judged by dpkg, beside mmdebstrap's; large sets, made twice (an hour)
	DEVENV_BASE_SUITES="bullseye bookworm trixie sid" $(B)/tests/test_source_debian_base
	BUILD=$(B) tests/bases/run bullseye bookworm trixie
	tests/e2e/run large
fuzz-replay: $(fuzz_names:%=$(B)/fuzz/replay_%) ## run the fuzz targets over their corpora
	BUILD=$(B) tests/run fuzz
fuzz: ## look for new crashes with libFuzzer, FUZZ_SECONDS for each target
	$(MAKE) FUZZ=1 $(fuzz_names:%=build/libfuzzer/fuzz/fuzz_%)
	tests/fuzz/run $(FUZZ_SECONDS) $(fuzz_names)
bench: all ## measure against the peers this machine has
	tests/bench/run
analyze: | $(kernel_headers) ## gcc -fanalyzer, clang-tidy, cppcheck
	@CORE_FLAGS='$(core_cflags)' LAUNCHER_FLAGS='$(ours)' LAUNCHER_CC='$(launcher_cc)' tests/lint/analyze
lint: all ## layering, budgets, forbidden words, what the launcher binary is
	BUILD=$(B) tests/run lint
coverage: ## unit tests and corpora with gcov; a table per file
	$(MAKE) COVERAGE=1 test-programs
	BUILD=build/coverage tests/run unit fuzz
	tests/coverage build/coverage
format: ## clang-format over the sources
	clang-format -i $$(find devenv tests -name '*.[ch]')

# Installs what is missing of $(1); as root, else by sudo. Without dpkg the lists above say what to look for.
missing = $(shell command -v dpkg-query >/dev/null && for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || echo $$p; done)
deps: ## install the Debian packages a build needs, where missing
	@tests/deps need $(call missing,$(BUILD_PACKAGES))
test-deps: ## the same for the tests; what can't be had makes tests skip
	@tests/deps want $(call missing,$(TEST_PACKAGES))

install: all ## install below PREFIX (DESTDIR is honoured)
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" packaging/install install $(B)
uninstall: ## remove what install put there
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" packaging/install uninstall $(B)
deb: all ## build/devenv_VERSION_ARCH.deb
	packaging/deb $(VERSION)
tarball: all ## build/devenv-VERSION-ARCH.tar.gz: a tree that runs wherever it is unpacked
	packaging/tarball $(VERSION)
dist: ## build/devenv-VERSION.tar.gz of the committed tree
	mkdir -p build && git archive --prefix=devenv-$(VERSION)/ -o build/devenv-$(VERSION).tar.gz HEAD
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1\t\2/p' Makefile | expand -t 16

.PHONY: all test-programs demo test test-bases test-unit test-e2e test-faults test-san test-valgrind fuzz fuzz-replay bench analyze lint \
	coverage format deps test-deps install uninstall deb tarball dist clean help
-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
