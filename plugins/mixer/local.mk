mixerdir = $(plugindir)/mixer
mixer_LTLIBRARIES =
plugin_modules += $(mixer_LTLIBRARIES)
mixer_LTLIBRARIES += plugins/mixer/conv.la
mixer_LTLIBRARIES += plugins/mixer/gru.la
mixer_LTLIBRARIES += plugins/mixer/identity.la
mixer_LTLIBRARIES += plugins/mixer/transformer.la
