/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin.h - the plugin interface: what a component is, and what each kind of component must do.
 *
 * A plugin is a shared object with one exported function, ssk_plugin_entry, written by the macro
 * SSK_PLUGIN. It returns static const data: a magic block, by which the kernel sees whether the
 * plugin was built for it, and 1...n component descriptors. Loading has no side effects; a plugin
 * is never unloaded.
 *
 * A component's author writes a struct (its parameters first, its weights behind them), a table of
 * parameter rows, and the functions of its kind. The kernel allocates the struct, zeroed, fills the
 * parameters, and calls init, then build; it owns all memory but what `init` and `open` allocate,
 * which `done` frees. Functions that run on a tape are called from several threads at once, with
 * different contexts and the same `self`: they must not write to *self.
 *
 * Slots that are marked [optional] may be NULL: then the kernel's default applies, or the
 * capability is absent. Every public struct begins with its size; fill it with sizeof. Strings are
 * borrowed and static.
 *
 * It is in parts: component.h, what a plugin exports; context.h, what a component is told;
 * dataset.h, parts.h, diffusion.h and scoring.h, the slots of each kind; nested.h, how a component
 * runs those within it. */
#ifndef SSKIT_PLUGIN_H
#define SSKIT_PLUGIN_H

#include <sskit/component.h>
#include <sskit/context.h>
#include <sskit/dataset.h>
#include <sskit/diffusion.h>
#include <sskit/nested.h>
#include <sskit/parts.h>
#include <sskit/scoring.h>

#endif
