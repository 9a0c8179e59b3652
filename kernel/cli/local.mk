sskit_SOURCES += kernel/cli/bench.c
sskit_SOURCES += kernel/cli/check.c
sskit_SOURCES += kernel/cli/cli.c
sskit_SOURCES += kernel/cli/cli.h
sskit_SOURCES += kernel/cli/describe.c
sskit_SOURCES += kernel/cli/explain.c
sskit_SOURCES += kernel/cli/completion.c
sskit_SOURCES += kernel/cli/completion_text.c
sskit_SOURCES += kernel/cli/interface.c
sskit_SOURCES += kernel/cli/interface.h
sskit_SOURCES += kernel/cli/list.c
sskit_SOURCES += kernel/cli/manual.c
sskit_SOURCES += kernel/cli/manual.h
sskit_SOURCES += kernel/cli/manual_tables.c
sskit_SOURCES += kernel/cli/manual_text.c
sskit_SOURCES += kernel/cli/main.c
sskit_SOURCES += kernel/cli/page.c
sskit_SOURCES += kernel/cli/page.h
sskit_SOURCES += kernel/cli/plot.c
sskit_SOURCES += kernel/cli/watch.c
sskit_SOURCES += kernel/cli/plugin.c
sskit_SOURCES += kernel/cli/plugin.h
sskit_SOURCES += kernel/cli/plugin_check.c
sskit_SOURCES += kernel/cli/plugin_new.c
sskit_SOURCES += kernel/cli/doctor.c
sskit_SOURCES += kernel/cli/schema.c
sskit_SOURCES += kernel/cli/recipe.c
sskit_SOURCES += kernel/cli/roff.c
sskit_SOURCES += kernel/cli/roff.h
sskit_SOURCES += kernel/cli/verbs.def
sskit_SOURCES += kernel/cli/train.c
sskit_SOURCES += kernel/cli/resume.c
sskit_SOURCES += kernel/cli/runs.c
sskit_SOURCES += kernel/cli/training.c
sskit_SOURCES += kernel/cli/training.h
sskit_SOURCES += kernel/cli/compare.c
sskit_SOURCES += kernel/cli/sweep.c
sskit_SOURCES += kernel/cli/slurm.c
sskit_SOURCES += kernel/cli/slurm.h
sskit_SOURCES += kernel/cli/reproduce.c
sskit_SOURCES += kernel/cli/evaluate.c
sskit_SOURCES += kernel/cli/evaluate_samplers.c
sskit_SOURCES += kernel/cli/evaluate_samplers.h
sskit_SOURCES += kernel/cli/forecast.c
sskit_SOURCES += kernel/cli/format.c
sskit_SOURCES += kernel/cli/format.h
sskit_SOURCES += kernel/cli/forecast_write.c
sskit_SOURCES += kernel/cli/forecast_write.h
sskit_SOURCES += kernel/cli/quantiles.h
sskit_SOURCES += kernel/cli/export.c
sskit_SOURCES += kernel/cli/filter.c
sskit_SOURCES += kernel/cli/latency.h
sskit_SOURCES += kernel/cli/observations.c
sskit_SOURCES += kernel/cli/observations.h
sskit_SOURCES += kernel/cli/sample.c
sskit_SOURCES += kernel/cli/source.c
sskit_SOURCES += kernel/cli/source.h
sskit_SOURCES += kernel/cli/spread.h
sskit_SOURCES += kernel/cli/data.c

# The skeletons of plugins that `sskit plugin new` writes are files, which the tests build; the program
# carries them.
skeleton_kinds = dataset summary encoder emission initial transition schedule denoiser mixer sampler objective metric \
	network
skeletons = $(skeleton_kinds:%=%.c) $(skeleton_kinds:%=%.yaml) skeleton.mk skeleton.md
EXTRA_DIST += $(addprefix plugins/template/,$(skeletons)) plugins/template/embed.awk
CLEANFILES += interface/skeletons.inc
interface/skeletons.inc: $(addprefix $(srcdir)/plugins/template/,$(skeletons)) $(srcdir)/plugins/template/embed.awk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cd $(srcdir)/plugins/template && \
	LC_ALL=C $(AWK) -f embed.awk $(skeletons) >$(abs_builddir)/$@.new && mv $(abs_builddir)/$@.new $(abs_builddir)/$@
kernel/cli/sskit-plugin_new.$(OBJEXT): interface/skeletons.inc

# The manual pages and the completion scripts, which the program makes from its own tables.
verbs = $(shell sed -n 's/^SSK_VERB.\([a-z]*\),.*/\1/p' $(srcdir)/kernel/cli/verbs.def)
man1_MANS = interface/man/sskit.1 $(verbs:%=interface/man/sskit-%.1)
man5_MANS = interface/man/sskit-recipe.5
man7_MANS = interface/man/sskit-components.7
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = interface/bash/sskit
zshcompletiondir = $(datadir)/zsh/site-functions
zshcompletion_DATA = interface/zsh/_sskit
CLEANFILES += $(man1_MANS) $(man5_MANS) $(man7_MANS) $(bashcompletion_DATA) $(zshcompletion_DATA)

write_interface = $(AM_V_GEN)$(MKDIR_P) $(@D) && \
	SSKIT_PLUGIN_DIR= SSKIT_PLUGIN_PATH=plugins-stage ./sskit$(EXEEXT) $(1) >$@.new && mv $@.new $@
interface/man/sskit.1: sskit$(EXEEXT)
	$(call write_interface,manual)
interface/man/sskit-%.1: sskit$(EXEEXT)
	$(call write_interface,manual $*)
interface/man/sskit-recipe.5: sskit$(EXEEXT)
	$(call write_interface,manual recipe)
interface/man/sskit-components.7: sskit$(EXEEXT) $(plugin_stage)
	$(call write_interface,manual components)
interface/bash/sskit: sskit$(EXEEXT)
	$(call write_interface,completion bash)
interface/zsh/_sskit: sskit$(EXEEXT)
	$(call write_interface,completion zsh)
