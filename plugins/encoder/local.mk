encoderdir = $(plugindir)/encoder
encoder_DATA = $(filter plugins-stage/encoder/%,$(plugin_stage))
plugin_sources += plugins/encoder/copy.c
plugin_sources += plugins/encoder/gaussian.c
plugin_sources += plugins/encoder/truth.c
