sskit_SOURCES += kernel/cli/cli.c
sskit_SOURCES += kernel/cli/cli.h
sskit_SOURCES += kernel/cli/main.c
sskit_SOURCES += kernel/cli/recipe.c
sskit_SOURCES += kernel/cli/verbs.def
