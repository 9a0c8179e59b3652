datasetdir = $(plugindir)/dataset
dataset_DATA = $(filter plugins-stage/dataset/%,$(plugin_stage))
plugin_sources += plugins/dataset/bimodal.c
plugin_sources += plugins/dataset/lgssm.c
plugin_sources += plugins/dataset/csv.c
plugin_headers += plugins/dataset/csv_reader.h
plugin_headers += plugins/dataset/csv_rows.h
plugin_headers += plugins/dataset/csv_table.h
plugin_headers += plugins/dataset/csv_calendar.h
plugin_headers += plugins/dataset/csv_time.h
plugin_sources += plugins/dataset/jsonl.c
plugins-stage/dataset/jsonl.so double-stage/dataset/jsonl.so: plugin_cflags = $(JANSSON_CFLAGS)
plugins-stage/dataset/jsonl.so double-stage/dataset/jsonl.so: plugin_libs = $(JANSSON_LIBS)
plugin_sources += plugins/dataset/npz.c
plugin_headers += plugins/dataset/npy.h
plugins-stage/dataset/npz.so double-stage/dataset/npz.so: plugin_cflags = $(LIBZIP_CFLAGS)
plugins-stage/dataset/npz.so double-stage/dataset/npz.so: plugin_libs = $(LIBZIP_LIBS)
# Where their libraries are; packed in any case.
EXTRA_DIST += plugins/dataset/hdf5.c plugins/dataset/mat.c
if WITH_HDF5
plugin_sources += plugins/dataset/hdf5.c
endif
plugins-stage/dataset/hdf5.so double-stage/dataset/hdf5.so: plugin_cflags = $(HDF5_CFLAGS)
plugins-stage/dataset/hdf5.so double-stage/dataset/hdf5.so: plugin_libs = $(HDF5_LIBS)
if WITH_MATIO
plugin_sources += plugins/dataset/mat.c
endif
plugins-stage/dataset/mat.so double-stage/dataset/mat.so: plugin_cflags = $(MATIO_CFLAGS)
plugins-stage/dataset/mat.so double-stage/dataset/mat.so: plugin_libs = $(MATIO_LIBS)
plugin_sources += plugins/dataset/random_walk_mixture.c
plugin_sources += plugins/dataset/bimodal_lift.c
plugin_sources += plugins/dataset/bimodal_lift_mv.c
plugin_headers += plugins/dataset/generated.h
plugin_headers += plugins/dataset/lift.h
plugin_sources += plugins/dataset/student_t.c
plugin_sources += plugins/dataset/harmonic.c
plugin_sources += plugins/dataset/henon_lift.c
plugin_sources += plugins/dataset/four_well_fold.c
plugin_sources += plugins/dataset/lorenz.c
plugin_sources += plugins/dataset/pendulum.c
