samplerdir = $(plugindir)/sampler
sampler_LTLIBRARIES =
plugin_modules += $(sampler_LTLIBRARIES)
sampler_LTLIBRARIES += plugins/sampler/ancestral.la
sampler_LTLIBRARIES += plugins/sampler/heun.la
