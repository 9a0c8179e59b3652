# Shell tests: each prints TAP. planted_leak.sh, which needs Criterion, is run by tests/local.mk.
cli_tests =
cli_tests += tests/cli/badplugins.sh
cli_tests += tests/cli/bench.sh
cli_tests += tests/cli/cli.sh
cli_tests += tests/cli/health.sh
cli_tests += tests/cli/include_graph.sh
cli_tests += tests/cli/determinism.sh
cli_tests += tests/cli/data.sh
cli_tests += tests/cli/missing_data.sh
cli_tests += tests/cli/mpi.sh
cli_tests += tests/cli/peer.sh
cli_tests += tests/cli/run.sh
cli_tests += tests/cli/steady_state.sh
cli_tests += tests/cli/badrecipes.sh
cli_tests += tests/cli/scoreboard.sh
TESTS += $(cli_tests)
EXTRA_DIST += tests/badrecipes $(cli_tests) tests/cli/planted_leak.sh
