# gb28181d. `make help` lists the targets; every variant is a variable:
#   VARIANT=release|debug|asan|tsan|msan|cov|fuzz  CROSS=aarch64-linux-gnu-  TLS=0  SQLITE=0  MQTT=1  LTO=0  WERROR=1  STATIC=1

VARIANT    ?= release
TLS        ?= 1
SQLITE     ?= 1
MQTT       ?= 0
WERROR     ?= 0
STATIC     ?= 0
BUILD_ROOT ?= build
BUILD := $(BUILD_ROOT)/$(CROSS)$(CCNAME)$(VARIANT)$(if $(filter 0,$(TLS)),-notls)$(if $(filter 0,$(SQLITE)),-nosqlite)$(if $(filter 1,$(MQTT)),-mqtt)$(if $(filter 1,$(STATIC)),-static)
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang,$(CROSS)gcc)
endif
# A cross build takes headers and libraries from SYSROOT (tools/sysroot.sh), or
# from what $(CROSS)pkg-config finds.
SYSROOT    ?=
ifneq ($(SYSROOT),)
sysroot    := $(abspath $(SYSROOT))
pc_dirs    := $(sysroot)/usr/lib/$(CROSS:-=)/pkgconfig:$(sysroot)/usr/share/pkgconfig
PKG_CONFIG ?= PKG_CONFIG_SYSROOT_DIR=$(sysroot) PKG_CONFIG_LIBDIR=$(pc_dirs) pkg-config
CPPFLAGS   += --sysroot=$(sysroot)
LDFLAGS    += --sysroot=$(sysroot)
endif
PKG_CONFIG ?= $(CROSS)pkg-config
PREFIX     ?= /usr/local
VERSION    := $(shell cat VERSION)

opt.debug   := -O0 -g3
# An object that is read as another type, as sockets have it, is what it holds: no
# sanitizer sees where the compiler took it for what it was, and nothing gets slower.
opt.release := -O2 -g -DNDEBUG -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=.
opt.asan    := -Og -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
opt.tsan    := -O0 -g1 -fsanitize=thread
opt.msan    := -O1 -g1 -fsanitize=memory -fsanitize-memory-track-origins -fno-sanitize-recover=all -fno-omit-frame-pointer
opt.cov     := -O0 -g --coverage
# Edges are counted, what is compared is not told to libFuzzer: up to four fifths of a run
# would go into that. Of texts it hears by memcmp, and dictionaries have the words. Nothing
# calls itself by what came in, so how deep the stack is teaches nothing. UBSan stops by a
# trap, which costs a tenth of a run less than its calls; `make VARIANT=asan replay` says
# what in words.
opt.fuzz    := -O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fsanitize-trap=undefined \
    -fno-sanitize-coverage=trace-cmp,stack-depth -DFUZZ_EVERY_WAY=0
# The daemon is optimised as a whole: 3 to 4 % fewer instructions a message.
# Tests, benchmarks and tools are linked as they are, in less time.
LTO ?= $(if $(findstring gcc,$(CC)),1,0)
# With -flto gcc does not tell the assembler of the mapped folder, which then stands
# in what is linked without it, and in its build id.
ifeq ($(VARIANT)$(LTO),release1)
opt.release += -flto=auto -ffat-lto-objects -Wa,--debug-prefix-map=$(CURDIR)=.
unlto := -fno-lto
endif
OPT  := $(opt.$(VARIANT))
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(filter 1,$(WERROR)),-Werror)

core_dirs := base sip sdp manscdp rtp ps
app_dirs  := app/platform app/device app/media app/trace app/net app/store app/http app/rtsp app
core_src  := $(wildcard $(core_dirs:%=%/*.c))
app_src   := $(filter-out app/main.c,$(wildcard $(app_dirs:%=%/*.c)))
ifeq ($(SQLITE),0)
app_src   := $(filter-out app/store/sql%.c app/store/salvage.c,$(app_src))
else
app_src   := $(filter-out app/store/snapshot.c,$(app_src))
endif
ifeq ($(TLS),0)
app_src   := $(filter-out app/net/tls.c,$(app_src))
else
app_src   := $(filter-out app/net/tls_none.c,$(app_src))
endif
app_src   := $(filter-out $(if $(filter 1,$(MQTT)),app/net/mqtt_none.c,app/net/mqtt.c),$(app_src))
web_src   := $(wildcard app/web/*)
tests     := $(patsubst test/%.c,$(BUILD)/%,$(wildcard test/test_*.c))
benches   := $(patsubst test/%.c,$(BUILD)/%,$(wildcard test/bench_*.c))
fuzzers   := $(patsubst fuzz/%.c,$(BUILD)/%,$(wildcard fuzz/fuzz_*.c))
tools     := $(patsubst tools/%.c,$(BUILD)/%,$(wildcard tools/*.c))
headers_  := $(wildcard $(core_dirs:%=%/*.h) $(app_dirs:%=%/*.h))
obj = $(patsubst %.c,$(BUILD)/%.o,$1)

# What each library is for: docs/architecture.md. mxml and nettle are the
# core's; the rest is the edge's.
pkg_core := mxml nettle
pkg_edge := libuv yaml-0.1 jansson $(if $(filter 1,$(SQLITE)),sqlite3) $(if $(filter 1,$(TLS)),libssl libcrypto) $(if $(filter 1,$(MQTT)),libmosquitto)
ifeq ($(filter help clean check,$(MAKECMDGOALS)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(pkg_core) $(pkg_edge) && echo good),good)
$(error $(PKG_CONFIG) does not find $(pkg_core) $(pkg_edge): run tools/setup.sh$(if $(CROSS), and tools/sysroot.sh (set SYSROOT)))
endif
endif
LIBS_CORE := $(shell $(PKG_CONFIG) --libs $(pkg_core))
LIBS_EDGE := $(shell $(PKG_CONFIG) --libs $(pkg_edge)) -lz
# Files beyond 2 GiB where off_t has 32 bits; libuv's own structures are laid out so.
CPPFLAGS  += -D_FILE_OFFSET_BITS=64
CPPFLAGS  += -DGB_VERSION='"$(VERSION)"' -DGB_TLS=$(TLS) -DGB_SQLITE=$(SQLITE) -DGB_MQTT=$(MQTT) $(shell $(PKG_CONFIG) --cflags $(pkg_core) $(pkg_edge))
LDFLAGS   += -Wl,--as-needed
# Programs that ask for no library. Debian's archive of libuv has a name of its own.
ifeq ($(STATIC),1)
LDFLAGS   += -static
LIBS_EDGE := $(subst -luv,-l:libuv_a.a,$(LIBS_EDGE))
endif
ifeq ($(VARIANT),release)
CPPFLAGS  += -ffunction-sections -fdata-sections
LDFLAGS   += -Wl,--gc-sections
endif

# Two hundred tests are linked in half the time.
ifeq ($(VARIANT)$(CROSS),asan)
LDFLAGS   += $(if $(shell command -v ld.gold),-fuse-ld=gold)
endif

# One short line a step; V=1 shows the commands, make -s nothing.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
quiet := $(or $(filter 1,$(V)),$(findstring s,$(firstword -$(MAKEFLAGS))))
say = $(if $(quiet),,@printf '  %-4s %s\n' $1 $2)

core_lib := $(BUILD)/libgb28181.a
app_lib  := $(BUILD)/libapp.a

all: $(BUILD)/gb28181d $(tools) $(core_lib)          ## the daemon, the tools and libgb28181.a

# POSIX is visible to the edge only: uv.h does not even compile in the core.
edge := app/net app/http app/rtsp app/store test tools fuzz
edge_src := app/main.c app/folder.c app/sandbox.c app/secrets.c $(wildcard app/daemon*.c)
$(foreach x,o seen,$(foreach d,$(edge),$(BUILD)/$(d)/%.$(x)) $(edge_src:%.c=$(BUILD)/%.$(x))): CPPFLAGS += -D_GNU_SOURCE

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c11 -I. -I$(BUILD) $(WARN) $(OPT) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(core_lib): $(call obj,$(core_src))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(CROSS)ar rcs $@ $^

$(app_lib): $(call obj,$(app_src)) $(BUILD)/web.o
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(CROSS)ar rcs $@ $^

# The page: gzipped, embedded, with a table of names and types.
$(BUILD)/web.S: tools/embed.sh $(web_src)
	@mkdir -p $(BUILD)/web
	$(call say,GEN,$@)
	$(Q)tools/embed.sh $(BUILD)/web $(web_src) > $@.tmp && mv $@.tmp $@

$(BUILD)/web.o: $(BUILD)/web.S
	$(call say,AS,$<)
	$(Q)$(CC) $(OPT) -c $< -o $@

$(BUILD)/gb28181d: $(BUILD)/app/main.o $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $^ $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

# What gbcam plays when it is given nothing.
clips := $(addprefix test/data/clip/,clock.h264 clock.h265 sub.h264 sub.h265 tone.aac)
$(BUILD)/clip.S: tools/embed_clip.sh $(clips)
	@mkdir -p $(BUILD)
	$(call say,GEN,$@)
	$(Q)tools/embed_clip.sh $(clips) > $@.tmp && mv $@.tmp $@

$(BUILD)/clip.o: $(BUILD)/clip.S $(clips)
	$(call say,AS,$<)
	$(Q)$(CC) $(OPT) -c $< -o $@

$(BUILD)/gbcam: $(BUILD)/clip.o $(call obj,$(wildcard tools/cam/*.c))
$(BUILD)/gbctl: $(call obj,$(wildcard tools/ctl/*.c))
$(BUILD)/sipload: $(call obj,$(wildcard tools/load/*.c))

$(tools): $(BUILD)/%: $(BUILD)/tools/%.o $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(unlto) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

# Programs that only benchmarks run: floors under servers, their clients.
bench_tools := $(patsubst tools/bench/%.c,$(BUILD)/%,$(wildcard tools/bench/*.c))
$(bench_tools): $(BUILD)/%: $(BUILD)/tools/bench/%.o $(BUILD)/libbench.a $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $^ $(LIBS_EDGE) $(LIBS_CORE) -o $@

# Preloaded by test/e2e/faults.py; no sanitizer.
$(BUILD)/faultio.so: test/preload/faultio.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O1 -g -fPIC -shared $< -ldl -lpthread -o $@

# An archive: a test takes from it only what it uses, so that one may bring a
# platform or a stack of its own.
support := $(BUILD)/libsupport.a
$(support): $(call obj,$(filter-out test/test_% test/bench_%,$(wildcard test/*.c)))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(CROSS)ar rcs $@ $^

$(BUILD)/test_%: $(BUILD)/test/test_%.o $(support) $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(unlto) $(LDFLAGS) $^ -lcmocka $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

# What benchmarks share; peer_NAME.c (PEERS=1) stands each for itself.
bench_lib := $(BUILD)/libbench.a
$(bench_lib): $(call obj,$(filter-out test/bench/peer%,$(wildcard test/bench/*.c)))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(CROSS)ar rcs $@ $^

peer_pkg.sofia := sofia-sip-ua
peer_pkg.osip2 := libosip2
peer_pkg.re    := libre
peer_pkg.lavf  := libavformat libavcodec libavutil
$(foreach p,sofia osip2 re lavf,$(eval $(BUILD)/test/bench/peer_$p.o: CPPFLAGS += $$(subst -I,-isystem ,$$(shell $$(PKG_CONFIG) --cflags $(peer_pkg.$p) 2>/dev/null))))
$(BUILD)/peer_lavf: $(BUILD)/test/bench/peer_lavf.o $(bench_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $^ $$($(PKG_CONFIG) --libs $(peer_pkg.lavf)) -o $@

# Of ours only base: sofia has an sdp_parse too.
$(BUILD)/peer_%: $(BUILD)/test/bench/peer_%.o $(BUILD)/test/bench/peer.o $(bench_lib) $(call obj,$(wildcard base/*.c))
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $^ $$($(PKG_CONFIG) --libs $(peer_pkg.$*)) -o $@

$(BUILD)/bench_%: $(BUILD)/test/bench_%.o $(bench_lib) $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(unlto) $(LDFLAGS) $^ $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

FUZZ_ENGINE ?= -fsanitize=fuzzer
# With VARIANT=fuzz libFuzzer drives; otherwise fuzz/replay.c feeds the corpus.
fuzz_main := $(if $(filter fuzz,$(VARIANT)),,$(BUILD)/fuzz/replay.o)
$(BUILD)/fuzz_platform $(BUILD)/fuzz_api: $(call obj,$(wildcard fuzz/platform/*.c))
$(BUILD)/fuzz_api: $(call obj,$(wildcard fuzz/api/*.c))
$(BUILD)/fuzz_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/memory.o $(fuzz_main) $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(if $(filter fuzz,$(VARIANT)),$(FUZZ_ENGINE)) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

# Most of the check's time: tests themselves are compiled fast, what they test is not.
ifeq ($(VARIANT),asan)
$(BUILD)/test/%.o: OPT += -O0 -g0
endif

# What another compiler has to say: its front end reads every source.
seen_src := $(core_src) $(app_src) app/main.c $(wildcard tools/*.c tools/cam/*.c tools/ctl/*.c tools/load/*.c test/*.c test/preload/*.c test/sim/*.c fuzz/*.c fuzz/api/*.c fuzz/platform/*.c)
warnings: $(seen_src:%.c=$(BUILD)/%.seen)            ## read all sources with CC, for its warnings
$(BUILD)/%.seen: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -I. -I$(BUILD) $(WARN) $(CPPFLAGS) $(CFLAGS) -fsyntax-only $< && touch $@

# A fleet in virtual time: docs/simulation.md. Optimised like the daemon.
$(BUILD)/fleet: $(call obj,$(wildcard test/sim/*.c)) $(app_lib) $(core_lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $^ $(LIBS_EDGE) $(LIBS_CORE) -lpthread -lm -o $@

tests: $(tests)                                      ## build every unit test
benches: $(benches) $(bench_tools)                   ## build every benchmark
fuzzers: $(fuzzers)

SIM_S ?= 120
SIM_SEEDS ?=
sim: $(BUILD)/fleet                                  ## a simulated fleet for SIM_S seconds, seed after seed
	tools/sim.sh $(BUILD)/fleet $(SIM_S) $(SIM_SEEDS)
sim-memory: $(BUILD)/fleet                           ## short lives in which each allocation fails once, then five in a row
	$(BUILD)/fleet --devices 4 --lives 1
	$(BUILD)/fleet --devices 4 --lives 1 --burst 5

RUN ?= # runs a program of the target: RUN="qemu-aarch64 -L $(SYSROOT)"
unit: $(tests)                                       ## run every unit test of one VARIANT
	@RUN="$(RUN)" tools/unit.sh $^

unit-%: $(BUILD)/test_%                              ## run one unit test: make unit-via
	$<

check:                                               ## everything the pipeline runs
	tools/check.sh

asan:                                                ## the unit tests under ASan and UBSan
	$(MAKE) VARIANT=asan unit replay

cov:                                                 ## unit tests with coverage: lines and branches of each file and folder
	$(MAKE) VARIANT=cov unit
	tools/cov.sh $(BUILD_ROOT)/cov

analyze:                                             ## gcc -fanalyzer, clang-tidy and cppcheck over all sources
	tools/analyze.sh

faults: all $(BUILD)/faultio.so                      ## the program when memory, disks and calls fail; SEED, ROUNDS
	BUILD=$(abspath $(BUILD)) python3 test/e2e/faults.py all

CAPACITY ?= all
capacity: all                                        ## how much this machine carries: reconnects, storms, viewers, floods
	BUILD=$(abspath $(BUILD)) python3 test/e2e/capacity.py $(CAPACITY)

SOAK_S ?= 3600
soak: all                                            ## streams, viewers and session lives for SOAK_S seconds
	BUILD=$(abspath $(BUILD)) SOAK_S=$(SOAK_S) python3 test/e2e/soak.py

replay: $(fuzzers)                                   ## feed every corpus file to its fuzz target
	@set -e; for f in $^; do d=fuzz/corpus/$$(basename $$f | sed s/^fuzz_//); \
	  [ ! -d $$d ] || $$f $$d/*; done

FUZZ_S ?= 20
fuzz:                                                ## run every libFuzzer target FUZZ_S seconds
	$(MAKE) VARIANT=fuzz fuzzers
	FUZZ_S=$(FUZZ_S) tools/fuzz.sh $(BUILD_ROOT)/fuzz

bench:                                               ## print every figure
	tools/bench.sh

baseline:                                            ## count instructions again, into test/data/instructions.txt
	tools/instructions.sh baseline

demo:                                                ## the daemon and four simulated cameras
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tools/demo.sh $(BUILD)

golden: $(BUILD)/sipdump $(BUILD)/psdump             ## rewrite the .expect dumps of the captures
	tools/golden.sh $(BUILD)

headers:                                             ## every header compiles alone
	@set -e; for h in $(headers_); do \
	  $(CC) -std=c11 -I. $(CPPFLAGS) -D_GNU_SOURCE -fsyntax-only -x c -include $$h /dev/null || { echo "$$h"; exit 1; }; done
layers:                                              ## include directions
	tools/layers.sh
words:                                               ## functions we do not use
	tools/words.sh

docs:                                                ## make docs/ anew where the code says what is in it
	tools/docs.sh

install: all                                         ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/gb28181d $(DESTDIR)$(PREFIX)/bin/gb28181d
	install -D -m 755 $(BUILD)/gbcam $(DESTDIR)$(PREFIX)/bin/gbcam
	install -D -m 755 $(BUILD)/gbctl $(DESTDIR)$(PREFIX)/bin/gbctl
	install -D -m 644 docs/gb28181d.8 $(DESTDIR)$(PREFIX)/share/man/man8/gb28181d.8
	install -D -m 644 docs/gbcam.1 $(DESTDIR)$(PREFIX)/share/man/man1/gbcam.1
	install -D -m 644 docs/gbctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/gbctl.1
	install -D -m 644 docs/gb28181d.yml.example $(DESTDIR)$(PREFIX)/share/doc/gb28181d/gb28181d.yml.example
	install -D -m 644 packaging/completion/gbctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/gbctl
	install -D -m 644 packaging/completion/gbctl.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gbctl
	install -D -m 644 packaging/completion/gbctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gbctl.fish

deb: all                                             ## a Debian package in build/ (CROSS, SYSROOT: tools/cross.sh)
	tools/deb.sh $(BUILD) $(BUILD_ROOT)

tarball: all                                         ## the programs with pages and unit file as build/*.tar.gz
	tools/tarball.sh $(BUILD) $(BUILD_ROOT)

repro:                                               ## build twice in two places, compare the packages
	tools/repro.sh

CROSS_ARCHS ?= arm64 armhf i386 s390x
cross:                                               ## build for CROSS_ARCHS, run the unit tests under qemu-user
	tools/cross.sh $(CROSS_ARCHS)

clean:                                               ## remove every build
	rm -rf $(BUILD_ROOT)

help:                                                ## this text
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n",$$1,$$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: all tests benches fuzzers unit sim sim-memory check asan cov analyze faults capacity soak replay fuzz bench baseline demo golden headers layers words docs install deb tarball repro cross clean help
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
