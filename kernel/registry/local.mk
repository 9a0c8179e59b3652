libsskit_sources += kernel/registry/registry.h
libsskit_sources += kernel/registry/fpcontrol.c
libsskit_sources += kernel/registry/fpcontrol.h
libsskit_sources += kernel/registry/load.c
libsskit_sources += kernel/registry/load.h
