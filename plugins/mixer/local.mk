mixerdir = $(plugindir)/mixer
mixer_DATA = $(filter plugins-stage/mixer/%,$(plugin_stage))
plugin_sources += plugins/mixer/conv.c
plugin_sources += plugins/mixer/gru.c
plugin_sources += plugins/mixer/identity.c
plugin_sources += plugins/mixer/transformer.c
