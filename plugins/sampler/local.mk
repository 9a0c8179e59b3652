samplerdir = $(plugindir)/sampler
sampler_DATA = $(filter plugins-stage/sampler/%,$(plugin_stage))
plugin_sources += plugins/sampler/ancestral.c
plugin_sources += plugins/sampler/heun.c
plugin_sources += plugins/sampler/euler.c
plugin_sources += plugins/sampler/dpmpp_2m.c
plugin_sources += plugins/sampler/unipc.c
plugin_headers += plugins/sampler/grid.h
