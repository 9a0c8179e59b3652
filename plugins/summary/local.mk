summarydir = $(plugindir)/summary
summary_DATA = $(filter plugins-stage/summary/%,$(plugin_stage))
plugin_sources += plugins/summary/conv1d.c
plugin_sources += plugins/summary/gru.c
plugin_sources += plugins/summary/identity.c
plugin_sources += plugins/summary/transformer.c
