transitiondir = $(plugindir)/transition
transition_LTLIBRARIES =
plugin_modules += $(transition_LTLIBRARIES)
