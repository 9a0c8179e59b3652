libsskit_sources += kernel/infer/forecaster.h
