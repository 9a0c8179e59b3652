# Programs that measure: built with the tests, so that they keep up with the kernel, but neither run by
# `make check` at length nor installed. See docs/performance.md.
EXTRA_DIST += bench/quality bench/ranks bench/runs_index bench/samplers bench/scaling bench/threads
check_PROGRAMS += bench/ops
bench_ops_SOURCES = bench/ops.c bench/ops_cases.def
bench_ops_CPPFLAGS = $(kernel_cppflags) -I$(top_srcdir)/bench
bench_ops_CFLAGS = $(kernel_cflags)
bench_ops_LDFLAGS = -no-install
bench_ops_LDADD = libsskit.la $(kernel_libs)

check_PROGRAMS += bench/variance
bench_variance_SOURCES = bench/variance.c
bench_variance_CPPFLAGS = $(kernel_cppflags)
bench_variance_CFLAGS = $(kernel_cflags)
bench_variance_LDFLAGS = -no-install
bench_variance_LDADD = libsskit.la $(kernel_libs)

.PHONY: bench
bench: bench/ops
	bench/ops

# The comparison with PyTorch: scripts and recipes. See bench/README.md.
EXTRA_DIST += bench/README.md bench/run bench/ours.py bench/peer_authors.py bench/peer_torch.py bench/peer_model.py bench/peer_diffusion.py \
	bench/peer_context.py bench/peer_denoisers.py bench/peer_exchange.py bench/paper.yaml bench/paper_dkf.yaml \
	bench/paper_ddssm.yaml bench/common.yaml bench/dkf.yaml bench/ddssm.yaml bench/ddssm_csdi.yaml bench/ddssm_wide.yaml
