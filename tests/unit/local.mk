unit_sources += tests/unit/test_layers.c
unit_sources += tests/unit/test_vmath.c
unit_sources += tests/unit/test_plugins.c
unit_sources += tests/unit/test_samplers.c
