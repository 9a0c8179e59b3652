samplerdir = $(plugindir)/sampler
sampler_LTLIBRARIES =
plugin_modules += $(sampler_LTLIBRARIES)
