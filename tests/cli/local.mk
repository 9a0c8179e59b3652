# Shell tests: each prints TAP. planted_leak.sh, which needs Criterion, is listed in tests/local.mk.
EXTRA_DIST += tests/cli/planted_leak.sh tests/cli/include_graph.sh
TESTS += tests/cli/include_graph.sh
