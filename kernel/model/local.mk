libsskit_sources += kernel/model/context.c
libsskit_sources += kernel/model/data.h
libsskit_sources += kernel/model/experiment.c
libsskit_sources += kernel/model/experiment.h
libsskit_sources += kernel/model/model.h
libsskit_sources += kernel/model/store.c
libsskit_sources += kernel/model/store.h
