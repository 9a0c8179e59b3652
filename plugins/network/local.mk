networkdir = $(plugindir)/network
network_DATA = $(filter plugins-stage/network/%,$(plugin_stage))
plugin_sources += plugins/network/combiner.c
plugin_sources += plugins/network/context.c
plugin_sources += plugins/network/mlp.c
plugin_headers += plugins/network/beside.h
