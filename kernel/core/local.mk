libsskit_sources += kernel/core/arena.h
libsskit_sources += kernel/core/file.h
libsskit_sources += kernel/core/hash.h
libsskit_sources += kernel/core/log.h
libsskit_sources += kernel/core/text.h
