networkdir = $(plugindir)/network
network_LTLIBRARIES =
plugin_modules += $(network_LTLIBRARIES)
network_LTLIBRARIES += plugins/network/combiner.la
network_LTLIBRARIES += plugins/network/context.la
network_LTLIBRARIES += plugins/network/mlp.la
plugin_headers += plugins/network/beside.h
