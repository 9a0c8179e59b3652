summarydir = $(plugindir)/summary
summary_LTLIBRARIES =
plugin_modules += $(summary_LTLIBRARIES)
