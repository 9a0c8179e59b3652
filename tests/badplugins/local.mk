# bad_plugins += tests/badplugins/NAME.c
