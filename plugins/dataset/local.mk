datasetdir = $(plugindir)/dataset
dataset_LTLIBRARIES =
plugin_modules += $(dataset_LTLIBRARIES)
dataset_LTLIBRARIES += plugins/dataset/bimodal.la
dataset_LTLIBRARIES += plugins/dataset/lgssm.la
dataset_LTLIBRARIES += plugins/dataset/csv.la
plugin_headers += plugins/dataset/csv_reader.h
plugin_headers += plugins/dataset/csv_table.h
