scheduledir = $(plugindir)/schedule
schedule_LTLIBRARIES =
plugin_modules += $(schedule_LTLIBRARIES)
schedule_LTLIBRARIES += plugins/schedule/cosine.la
schedule_LTLIBRARIES += plugins/schedule/karras.la
schedule_LTLIBRARIES += plugins/schedule/vp_linear.la
