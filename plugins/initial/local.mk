initialdir = $(plugindir)/initial
initial_DATA = $(filter plugins-stage/initial/%,$(plugin_stage))
plugin_sources += plugins/initial/gaussian.c
plugin_sources += plugins/initial/standard.c
plugin_sources += plugins/initial/start.c
plugin_sources += plugins/initial/vhp.c
