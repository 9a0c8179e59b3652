objectivedir = $(plugindir)/objective
objective_LTLIBRARIES =
plugin_modules += $(objective_LTLIBRARIES)
objective_LTLIBRARIES += plugins/objective/elbo.la
