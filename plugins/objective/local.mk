objectivedir = $(plugindir)/objective
objective_LTLIBRARIES =
plugin_modules += $(objective_LTLIBRARIES)
