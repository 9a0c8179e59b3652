sskitinclude_HEADERS += kernel/include/sskit/err.h
sskitinclude_HEADERS += kernel/include/sskit/params.h
sskitinclude_HEADERS += kernel/include/sskit/plugin.h
sskitinclude_HEADERS += kernel/include/sskit/rng.h
sskitinclude_HEADERS += kernel/include/sskit/tape.h
sskitinclude_HEADERS += kernel/include/sskit/weights.h
