encoderdir = $(plugindir)/encoder
encoder_LTLIBRARIES =
plugin_modules += $(encoder_LTLIBRARIES)
encoder_LTLIBRARIES += plugins/encoder/copy.la
encoder_LTLIBRARIES += plugins/encoder/gaussian.la
encoder_LTLIBRARIES += plugins/encoder/truth.la
