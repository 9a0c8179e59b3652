denoiserdir = $(plugindir)/denoiser
denoiser_DATA = $(filter plugins-stage/denoiser/%,$(plugin_stage))
plugin_sources += plugins/denoiser/mlp.c
plugin_sources += plugins/denoiser/csdi.c
plugin_headers += plugins/denoiser/csdi_add.h
plugin_headers += plugins/denoiser/levels.h
