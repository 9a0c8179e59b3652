# Unit tests by Criterion, in float and in double (with --enable-double in double only), and shell tests
# that print TAP. Both run through tests/support/run-tests, which fails on what sanitizers report.
#
# What a test finds in its environment:
#   SSKIT             the program                    top_srcdir, top_builddir   absolute
#   SSKIT_PLUGIN_PATH the staged plugins (for *_double: in double precision)
#   SSKIT_PLUGIN_DIR  empty, so that plugins installed before are not found
#   SSKIT_BADPLUGINS  the folder of tests/badplugins/*.c, built, one .so each
#   SSKIT_REAL        float or double: what SSKIT computes in
#   SSKIT_SANITIZED   the sanitizer flags of this build, empty without
#   SSKIT_WITHOUT     the recipes of recipes/smoke whose components are not built: their library is missing
#   CC, PKG_CONFIG    for tests that build something themselves

unit_cppflags = $(kernel_cppflags) -I$(top_srcdir)/tests $(CRITERION_CFLAGS)
# Names in tests are constants, and inlined comparisons of them are known to fail: that is no mistake.
unit_cflags = $(kernel_cflags) -Wno-string-compare
unit_libs = $(CRITERION_LIBS) $(kernel_libs)

if HAVE_CRITERION
check_PROGRAMS += tests/unit_tests tests/planted_leak
TESTS += tests/unit_tests tests/cli/planted_leak.sh
if ALSO_DOUBLE
check_PROGRAMS += tests/unit_tests_double
TESTS += tests/unit_tests_double
endif
endif
if IN_FLOAT
double_path = $(abs_top_builddir)/double-stage
else
double_path = $(abs_top_builddir)/plugins-stage
endif
tests_unit_tests_SOURCES = $(unit_sources)
tests_unit_tests_CPPFLAGS = $(unit_cppflags)
tests_unit_tests_CFLAGS = $(unit_cflags)
tests_unit_tests_LDFLAGS = -no-install
tests_unit_tests_LDADD = libsskit.la $(unit_libs)

tests_unit_tests_double_SOURCES = $(unit_sources)
tests_unit_tests_double_CPPFLAGS = $(unit_cppflags) -DSSK_DOUBLE
tests_unit_tests_double_CFLAGS = $(unit_cflags)
tests_unit_tests_double_LDFLAGS = -no-install
tests_unit_tests_double_LDADD = libsskit_double.la $(unit_libs)

tests_planted_leak_SOURCES = tests/support/planted_leak.c
tests_planted_leak_CPPFLAGS = $(CRITERION_CFLAGS)
tests_planted_leak_CFLAGS = $(kernel_cflags)
tests_planted_leak_LDFLAGS = -no-install
tests_planted_leak_LDADD = $(CRITERION_LIBS)

check_PROGRAMS += tests/count_allocations
tests_count_allocations_SOURCES = tests/support/count_allocations.c
tests_count_allocations_CPPFLAGS = $(kernel_cppflags)
tests_count_allocations_CFLAGS = $(kernel_cflags)
tests_count_allocations_LDFLAGS = -no-install
tests_count_allocations_LDADD = libsskit.la $(kernel_libs)

include tests/unit/local.mk
include tests/cli/local.mk
include tests/badplugins/local.mk

EXTRA_DIST += tests/support/check_schema.py tests/support/run-tests tests/support/lsan.supp tests/support/tap.sh tests/support/page.awk tests/support/read_events.py tests/support/postgres.sh tests/support/small.sh tests/support/not-run

# Plugins that must be refused: built plainly, without -z defs, so that they may be broken. A file that
# needs flags of its own says so in tests/badplugins/local.mk:
#   tests/badplugins-built/NAME.so: BAD_FLAGS = ...
EXTRA_DIST += $(bad_plugins)
bad_modules = $(patsubst tests/badplugins/%.c,tests/badplugins-built/%.so,$(bad_plugins))
tests/badplugins-built/%.so: tests/badplugins/%.c tests/badplugins/sound.h $(sskitinclude_HEADERS)
	$(AM_V_CCLD)umask 022; $(MKDIR_P) $(@D); \
	$(CC) -shared -fPIC $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) $(BAD_FLAGS) $(LDFLAGS) -o $@ $<
check_DATA += $(bad_modules)

left_out =
if !WITH_HDF5
left_out += dataset_hdf5
endif
if !WITH_MATIO
left_out += dataset_mat
endif
AM_TESTS_ENVIRONMENT = \
	SSKIT='$(abs_top_builddir)/sskit'; export SSKIT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	SSKIT_PLUGIN_DIR=; export SSKIT_PLUGIN_DIR; \
	SSKIT_PLUGIN_PATH='$(abs_top_builddir)/plugins-stage'; export SSKIT_PLUGIN_PATH; \
	SSKIT_PLUGIN_PATH_DOUBLE='$(double_path)'; export SSKIT_PLUGIN_PATH_DOUBLE; \
	SSKIT_BADPLUGINS='$(abs_top_builddir)/tests/badplugins-built'; export SSKIT_BADPLUGINS; \
	SSKIT_REAL='$(SSK_REAL)'; export SSKIT_REAL; \
	SSKIT_SANITIZED='$(SSK_SANITIZERS)'; export SSKIT_SANITIZED; \
	SSKIT_WITHOUT='$(left_out)'; export SSKIT_WITHOUT; \
	CC='$(CC)'; export CC; PKG_CONFIG='$(PKG_CONFIG)'; export PKG_CONFIG;

tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
LOG_DRIVER = $(tap_driver)
LOG_COMPILER = $(top_srcdir)/tests/support/run-tests
SH_LOG_DRIVER = $(tap_driver)
SH_LOG_COMPILER = $(top_srcdir)/tests/support/run-tests
