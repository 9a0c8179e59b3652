libsskit_sources += kernel/infer/forecaster.h
libsskit_sources += kernel/infer/model_forecast.c
libsskit_sources += kernel/infer/model_forecast.h
