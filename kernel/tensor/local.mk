libsskit_sources += kernel/tensor/gemm.c
libsskit_sources += kernel/tensor/gemm.h
libsskit_sources += kernel/tensor/leaves.c
libsskit_sources += kernel/tensor/tape.c
libsskit_sources += kernel/tensor/tape_internal.h
libsskit_sources += kernel/tensor/vmath.h
libsskit_sources += kernel/tensor/vmath_kernels.h
