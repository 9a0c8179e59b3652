emissiondir = $(plugindir)/emission
emission_LTLIBRARIES =
plugin_modules += $(emission_LTLIBRARIES)
