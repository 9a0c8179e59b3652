libsskit_sources += kernel/train/optimiser.c
libsskit_sources += kernel/train/optimiser.h
libsskit_sources += kernel/train/reduce.c
libsskit_sources += kernel/train/reduce.h
