datasetdir = $(plugindir)/dataset
dataset_LTLIBRARIES =
plugin_modules += $(dataset_LTLIBRARIES)
