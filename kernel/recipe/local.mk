libsskit_sources += kernel/recipe/schema.h
libsskit_sources += kernel/recipe/tree.h
libsskit_sources += kernel/recipe/kind.c
libsskit_sources += kernel/recipe/node.h
libsskit_sources += kernel/recipe/parse.c
libsskit_sources += kernel/recipe/merge.c
libsskit_sources += kernel/recipe/tree.c
