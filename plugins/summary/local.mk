summarydir = $(plugindir)/summary
summary_LTLIBRARIES =
plugin_modules += $(summary_LTLIBRARIES)
summary_LTLIBRARIES += plugins/summary/conv1d.la
summary_LTLIBRARIES += plugins/summary/gru.la
summary_LTLIBRARIES += plugins/summary/identity.la
summary_LTLIBRARIES += plugins/summary/transformer.la
