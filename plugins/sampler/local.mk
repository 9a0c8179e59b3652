samplerdir = $(plugindir)/sampler
sampler_LTLIBRARIES =
plugin_modules += $(sampler_LTLIBRARIES)
sampler_LTLIBRARIES += plugins/sampler/ancestral.la
sampler_LTLIBRARIES += plugins/sampler/heun.la
sampler_LTLIBRARIES += plugins/sampler/euler.la
sampler_LTLIBRARIES += plugins/sampler/dpmpp_2m.la
plugin_headers += plugins/sampler/grid.h
