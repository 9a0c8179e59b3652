metricdir = $(plugindir)/metric
metric_LTLIBRARIES =
plugin_modules += $(metric_LTLIBRARIES)
