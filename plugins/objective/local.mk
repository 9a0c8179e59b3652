objectivedir = $(plugindir)/objective
objective_LTLIBRARIES =
plugin_modules += $(objective_LTLIBRARIES)
objective_LTLIBRARIES += plugins/objective/elbo.la
objective_LTLIBRARIES += plugins/objective/free_bits.la
objective_LTLIBRARIES += plugins/objective/geco.la
objective_LTLIBRARIES += plugins/objective/two_stage.la
plugin_headers += plugins/objective/rate_weight.h
