denoiserdir = $(plugindir)/denoiser
denoiser_LTLIBRARIES =
plugin_modules += $(denoiser_LTLIBRARIES)
