initialdir = $(plugindir)/initial
initial_LTLIBRARIES =
plugin_modules += $(initial_LTLIBRARIES)
initial_LTLIBRARIES += plugins/initial/gaussian.la
initial_LTLIBRARIES += plugins/initial/standard.la
initial_LTLIBRARIES += plugins/initial/start.la
initial_LTLIBRARIES += plugins/initial/vhp.la
