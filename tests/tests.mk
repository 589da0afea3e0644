# SPDX-License-Identifier: GPL-2.0-or-later
# Tests that `make check` runs. All speak TAP. Those that need a network namespace with a running daemon are pytest's
# (tests/system, tests/systemd): `./dev test` runs both kinds.

TEST_EXTENSIONS = .sh
TESTS_ENVIRONMENT = TW_SRCDIR='$(abs_top_srcdir)' TW_BUILDDIR='$(abs_top_builddir)' CMOCKA_MESSAGE_OUTPUT=TAP
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = bash $(srcdir)/tests/tap.sh

house_tests = \
	tests/house/catalog.sh \
	tests/house/corpus.sh \
	tests/house/man.sh \
	tests/house/security.sh \
	tests/house/walls.sh

unit_tests = \
	tests/unit/test-alert \
	tests/unit/test-alert-forecast \
	tests/unit/test-alert-rate \
	tests/unit/test-alerts \
	tests/unit/test-binder-need \
	tests/unit/test-bound-units \
	tests/unit/test-budget \
	tests/unit/test-cgroup-source \
	tests/unit/test-cgroup-unit \
	tests/unit/test-chart \
	tests/unit/test-close-wait \
	tests/unit/test-close-wait-asked \
	tests/unit/test-close-wait-units \
	tests/unit/test-curr-estab \
	tests/unit/test-recent-peak \
	tests/unit/test-demand \
	tests/unit/test-desired-effect \
	tests/unit/test-desired \
	tests/unit/test-destroy \
	tests/unit/test-diag-messages \
	tests/unit/test-diag-one \
	tests/unit/test-diag-request \
	tests/unit/test-diag \
	tests/unit/test-duration \
	tests/unit/test-event \
	tests/unit/test-explain-rule \
	tests/unit/test-explain-text \
	tests/unit/test-explain-topic \
	tests/unit/test-explain-words \
	tests/unit/test-exposition \
	tests/unit/test-file-source \
	tests/unit/test-flow \
	tests/unit/test-forecast \
	tests/unit/test-gate \
	tests/unit/test-gate-left \
	tests/unit/test-gate-text \
	tests/unit/test-grid \
	tests/unit/test-reconcile-faults \
	tests/unit/test-reconcile-step \
	tests/unit/test-reconcile-walk \
	tests/unit/test-reconcile \
	tests/unit/test-hash \
	tests/unit/test-html \
	tests/unit/test-destroy-candidates \
	tests/unit/test-destroy-search \
	tests/unit/test-journal-sink \
	tests/unit/test-json \
	tests/unit/test-kernel-close-wait \
	tests/unit/test-kernel-exclusive \
	tests/unit/test-kernel-source \
	tests/unit/test-ledger-store \
	tests/unit/test-ledger-text \
	tests/unit/test-limits \
	tests/unit/test-lines-read \
	tests/unit/test-lint-check \
	tests/unit/test-lint-report \
	tests/unit/test-listeners \
	tests/unit/test-scan-once \
	tests/unit/test-message-bounds \
	tests/unit/test-message-finding \
	tests/unit/test-message \
	tests/unit/test-metric \
	tests/unit/test-metrics-page \
	tests/unit/test-namespace \
	tests/unit/test-near \
	tests/unit/test-netlink \
	tests/unit/test-netns-list \
	tests/unit/test-netns-source \
	tests/unit/test-old-kernel \
	tests/unit/test-page \
	tests/unit/test-parse \
	tests/unit/test-policy-namespaces \
	tests/unit/test-policy-ports \
	tests/unit/test-policy-quiet \
	tests/unit/test-policy-reuse \
	tests/unit/test-policy-subjects \
	tests/unit/test-policy-survey \
	tests/unit/test-policy \
	tests/unit/test-port-model \
	tests/unit/test-ports \
	tests/unit/test-procnet \
	tests/unit/test-proof-takeovers \
	tests/unit/test-proof \
	tests/unit/test-raised-text \
	tests/unit/test-reading \
	tests/unit/test-reading-bound \
	tests/unit/test-reading-listeners \
	tests/unit/test-reading-units \
	tests/unit/test-destroyer \
	tests/unit/test-record-field \
	tests/unit/test-record-sample \
	tests/unit/test-record-sink \
	tests/unit/test-record-top \
	tests/unit/test-record \
	tests/unit/test-replay-sample \
	tests/unit/test-report-page \
	tests/unit/test-sample \
	tests/unit/test-scan-derived \
	tests/unit/test-scan-sides \
	tests/unit/test-scan \
	tests/unit/test-settings-action \
	tests/unit/test-settings-check \
	tests/unit/test-settings-ini \
	tests/unit/test-settings-keys \
	tests/unit/test-settings-load \
	tests/unit/test-settings-scope \
	tests/unit/test-settings \
	tests/unit/test-severity \
	tests/unit/test-screen \
	tests/unit/test-snapshot-read \
	tests/unit/test-snapshot-situation \
	tests/unit/test-snapshot \
	tests/unit/test-status-text \
	tests/unit/test-sock-request \
	tests/unit/test-socket-sink \
	tests/unit/test-stepper-follow \
	tests/unit/test-stepper \
	tests/unit/test-survey-blocked \
	tests/unit/test-survey \
	tests/unit/test-sysctl-conf \
	tests/unit/test-sysctl-plan \
	tests/unit/test-sysctl-sink \
	tests/unit/test-table \
	tests/unit/test-takeover \
	tests/unit/test-tcp-state \
	tests/unit/test-text \
	tests/unit/test-top-model \
	tests/unit/test-top-trace \
	tests/unit/test-tunable \
	tests/unit/test-utf8 \
	tests/unit/test-value \
	tests/unit/test-when \
	tests/unit/test-witness \
	tests/unit/test-worker

# The real manager in a world that is in memory, time included.
sim_tests = \
	tests/sim/test-aside \
	tests/sim/test-destroy-job \
	tests/sim/test-effect \
	tests/sim/test-manager \
	tests/sim/test-pace \
	tests/sim/test-replay \
	tests/sim/test-request \
	tests/sim/test-registry \
	tests/sim/test-registry-pace \
	tests/sim/test-step \
	tests/sim/test-time

# The corpus of each fuzz target, replayed.
fuzz_tests = \
	tests/fuzz/fuzz-destroy \
	tests/fuzz/fuzz-diag \
	tests/fuzz/fuzz-history \
	tests/fuzz/fuzz-ledger-text \
	tests/fuzz/fuzz-lines-read \
	tests/fuzz/fuzz-procnet \
	tests/fuzz/fuzz-replay-sample \
	tests/fuzz/fuzz-report \
	tests/fuzz/fuzz-settings-ini \
	tests/fuzz/fuzz-snapshot-read \
	tests/fuzz/fuzz-sysctl-conf \
	tests/fuzz/fuzz-values \
	tests/fuzz/fuzz-when \
	tests/fuzz/fuzz-words

# For the build of a package: what needs neither privilege nor network.
plain_tests = $(unit_tests) $(sim_tests) $(fuzz_tests) \
	tests/house/catalog.sh tests/house/man.sh

EXTRA_DIST += \
	$(house_tests) \
	tests/able \
	tests/bench/bench.py \
	tests/bench/field.py \
	tests/bench/neighbours.py \
	tests/bench/report.py \
	tests/bench/trials.py \
	tests/dist \
	tests/faults/conftest.py \
	tests/faults/explained.py \
	tests/faults/faults.py \
	tests/faults/stage.py \
	tests/faults/symbols.py \
	tests/faults/test_calls.py \
	tests/faults/test_hanging_bus.py \
	tests/faults/test_netlink.py \
	tests/faults/inject.h \
	$(fault_sources) \
	tests/fleet \
	tests/fuzz/corpus \
	tests/fuzz/record.py \
	tests/kernels \
	tests/oracle/__main__.py \
	tests/oracle/floor.json \
	tests/oracle/kept.json \
	tests/oracle/play.py \
	tests/oracle/reading.py \
	tests/oracle/scripts \
	tests/packages \
	tests/page \
	tests/scenes \
	tests/soak \
	tests/system \
	tests/systemd \
	tests/demo \
	tests/tap.sh \
	tests/valgrind \
	tests/unit/address.h \
	tests/unit/alert-fixture.h \
	tests/unit/close-wait-fixture.h \
	tests/unit/desired-fixture.h \
	tests/unit/diag-fixture.h \
	tests/unit/explain-fixture.h \
	tests/unit/gate-fixture.h \
	tests/unit/reconcile-fixture.h \
	tests/unit/lint-fixture.h \
	tests/unit/namespace-fixture.h \
	tests/unit/policy-fixture.h \
	tests/unit/proof-fixture.h \
	tests/unit/reading-fixture.h \
	tests/unit/record-fixture.h \
	tests/unit/scan-fixture.h \
	tests/unit/message-fixture.h \
	tests/unit/stepper-fixture.h \
	tests/unit/survey-fixture.h \
	tests/unit/settings-same.h \
	tests/unit/settings-table.h \
	tests/unit/tell-sample.h \
	tests/unit/tell-values.h \
	tests/unit/temporary.h \
	tests/unit/view-fixture.h

# Whole folders are taken with what the tests left in them; so only those that a build directory has not.
dist-hook:
	find $(distdir)/tests -name __pycache__ -exec rm -rf {} +

check_LIBRARIES = libtw_fake.a
libtw_fake_a_SOURCES = \
	tests/fake/fake-act.c tests/fake/fake-act.h \
	tests/fake/fake-dump.c tests/fake/fake-dump.h \
	tests/fake/fake-source.c tests/fake/fake-source.h

# Programs that the system tests start.
tools = \
	tests/tools/churn \
	tests/tools/list-keys \
	tests/tools/onbus \
	tests/tools/sinkd

# What `./dev test faults` preloads into the daemon. Automake makes shared objects with libtool alone.
fault_sources = \
	tests/faults/inject-calls.c \
	tests/faults/inject-memory.c \
	tests/faults/inject-netlink.c \
	tests/faults/inject-script.c \
	tests/faults/inject-sockets.c \
	tests/faults/inject.c
check_DATA = tests/faults/inject.so
CLEANFILES += tests/faults/inject.so
tests/faults/inject.so: $(fault_sources) tests/faults/inject.h
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -U_FORTIFY_SOURCE \
		-fPIC -shared -o $@ $(srcdir)/tests/faults/inject*.c

# Programs that `./dev bench` starts.
bench_programs = \
	tests/bench/ask \
	tests/bench/late \
	tests/bench/makesockets \
	tests/bench/measure \
	tests/bench/rawdump
tests_bench_ask_SOURCES = tests/bench/ask.c tests/bench/work.h
tests_bench_ask_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
tests_bench_late_SOURCES = tests/bench/late.c tests/bench/work.h
tests_bench_makesockets_SOURCES = tests/bench/makesockets.c tests/bench/work.h
tests_bench_measure_SOURCES = tests/bench/measure.c tests/bench/work.h
tests_bench_rawdump_SOURCES = tests/bench/rawdump.c tests/bench/work.h

# A kernel in memory that knows nothing of timewaitd, and what plays in it.
oracle_net = tests/oracle/net.c tests/oracle/net-crowd.c tests/oracle/net-ports.c tests/oracle/net-table.c tests/oracle/net.h
oracle_programs = tests/oracle/oracle tests/oracle/script
tests_oracle_oracle_SOURCES = $(oracle_net) \
	tests/oracle/face.c tests/oracle/face.h \
	tests/oracle/mix.c \
	tests/oracle/oracle.c \
	tests/oracle/program.c tests/oracle/program.h \
	tests/oracle/score.c tests/oracle/score.h \
	tests/oracle/shrink.c \
	tests/oracle/trial.c tests/oracle/trial.h \
	tests/oracle/watcher.c tests/oracle/watcher.h \
	tests/oracle/world.c tests/oracle/world.h
tests_oracle_script_SOURCES = tests/oracle/script.c tests/oracle/picture.c tests/oracle/picture.h \
	tests/oracle/words.c tests/oracle/words.h $(oracle_net)

# The tests are of the whole: what is built without timewaitctl or the exporter has none.
if WHOLE
check_PROGRAMS = $(tools) $(bench_programs) $(oracle_programs) $(fuzz_tests)
compiled_tests = $(fuzz_tests)
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests) $(sim_tests)
compiled_tests += $(unit_tests) $(sim_tests)
endif
TESTS = $(compiled_tests) $(house_tests)
endif

tests_sim_test_aside_SOURCES = tests/sim/test-aside.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_destroy_job_SOURCES = tests/sim/test-destroy-job.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_effect_SOURCES = tests/sim/test-effect.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_manager_SOURCES = tests/sim/test-manager.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_pace_SOURCES = tests/sim/test-pace.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_replay_SOURCES = tests/sim/test-replay.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_request_SOURCES = tests/sim/test-request.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_registry_SOURCES = tests/sim/test-registry.c tests/sim/machine.h
tests_sim_test_registry_pace_SOURCES = tests/sim/test-registry-pace.c tests/sim/machine.h
tests_sim_test_step_SOURCES = tests/sim/test-step.c tests/sim/stage.c tests/sim/stage.h
tests_sim_test_time_SOURCES = tests/sim/test-time.c tests/sim/stage.c tests/sim/stage.h

# Every test links the wings that it tests and nothing of the roof, but for the simulation.
LDADD = libtw_fake.a libtw_ctl.a libtw_exporter.a libtw_remote.a $(wings) $(ctl_libraries) $(MICROHTTPD_LIBS) $(CMOCKA_LIBS)

tests_fuzz_fuzz_destroy_SOURCES = tests/fuzz/fuzz-destroy.c tests/fuzz/replay.c
tests_fuzz_fuzz_diag_SOURCES = tests/fuzz/fuzz-diag.c tests/fuzz/replay.c
tests_fuzz_fuzz_history_SOURCES = tests/fuzz/fuzz-history.c tests/fuzz/fields.h tests/fuzz/replay.c
tests_fuzz_fuzz_ledger_text_SOURCES = tests/fuzz/fuzz-ledger-text.c tests/fuzz/replay.c
tests_fuzz_fuzz_lines_read_SOURCES = tests/fuzz/fuzz-lines-read.c tests/fuzz/replay.c
tests_fuzz_fuzz_procnet_SOURCES = tests/fuzz/fuzz-procnet.c tests/fuzz/replay.c
tests_fuzz_fuzz_replay_sample_SOURCES = tests/fuzz/fuzz-replay-sample.c tests/fuzz/fields.h tests/fuzz/replay.c
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz-report.c tests/fuzz/fields.h tests/fuzz/replay.c
tests_fuzz_fuzz_settings_ini_SOURCES = tests/fuzz/fuzz-settings-ini.c tests/fuzz/replay.c
tests_fuzz_fuzz_snapshot_read_SOURCES = tests/fuzz/fuzz-snapshot-read.c tests/fuzz/replay.c
tests_fuzz_fuzz_sysctl_conf_SOURCES = tests/fuzz/fuzz-sysctl-conf.c tests/fuzz/replay.c
tests_fuzz_fuzz_values_SOURCES = tests/fuzz/fuzz-values.c tests/fuzz/replay.c
tests_fuzz_fuzz_when_SOURCES = tests/fuzz/fuzz-when.c tests/fuzz/replay.c
tests_fuzz_fuzz_words_SOURCES = tests/fuzz/fuzz-words.c tests/fuzz/replay.c
tests_tools_onbus_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
