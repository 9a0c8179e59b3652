emissiondir = $(plugindir)/emission
emission_LTLIBRARIES =
plugin_modules += $(emission_LTLIBRARIES)
emission_LTLIBRARIES += plugins/emission/gaussian.la
