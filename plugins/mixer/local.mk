mixerdir = $(plugindir)/mixer
mixer_LTLIBRARIES =
plugin_modules += $(mixer_LTLIBRARIES)
