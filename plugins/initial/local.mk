initialdir = $(plugindir)/initial
initial_LTLIBRARIES =
plugin_modules += $(initial_LTLIBRARIES)
