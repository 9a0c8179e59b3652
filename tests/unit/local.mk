unit_sources += tests/unit/test_layers.c
unit_sources += tests/unit/test_vmath.c
unit_sources += tests/unit/test_plugins.c
unit_sources += tests/unit/test_samplers.c
unit_sources += tests/unit/test_diffusion.c
unit_sources += tests/unit/test_err.c
unit_sources += tests/unit/test_file.c
unit_sources += tests/unit/test_text.c
