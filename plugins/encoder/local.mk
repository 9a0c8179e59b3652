encoderdir = $(plugindir)/encoder
encoder_LTLIBRARIES =
plugin_modules += $(encoder_LTLIBRARIES)
