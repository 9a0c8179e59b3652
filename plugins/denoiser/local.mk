denoiserdir = $(plugindir)/denoiser
denoiser_LTLIBRARIES =
plugin_modules += $(denoiser_LTLIBRARIES)
denoiser_LTLIBRARIES += plugins/denoiser/mlp.la
denoiser_LTLIBRARIES += plugins/denoiser/csdi.la
plugin_headers += plugins/denoiser/csdi_add.h
plugin_headers += plugins/denoiser/levels.h
