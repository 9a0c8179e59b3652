transitiondir = $(plugindir)/transition
transition_LTLIBRARIES =
plugin_modules += $(transition_LTLIBRARIES)
transition_LTLIBRARIES += plugins/transition/diffusion.la
transition_LTLIBRARIES += plugins/transition/gaussian.la
transition_LTLIBRARIES += plugins/transition/linear.la
transition_LTLIBRARIES += plugins/transition/random_walk.la
