/* SPDX-License-Identifier: GPL-3.0-or-later */
/* all_schedules.h - for tests: an instance of every schedule, as the tables of parameters have it.
 * The plugins are compiled into the test. */
#ifndef TESTS_ALL_SCHEDULES_H
#define TESTS_ALL_SCHEDULES_H

#define ssk_plugin_entry SCHEDULES_ENTRY(cosine)
#include "../../plugins/schedule/cosine.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(geometric)
#include "../../plugins/schedule/geometric.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(karras)
#include "../../plugins/schedule/karras.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(sub_vp)
#include "../../plugins/schedule/sub_vp.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(ve)
#include "../../plugins/schedule/ve.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(vp_linear)
#include "../../plugins/schedule/vp_linear.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry SCHEDULES_ENTRY(vp_quadratic)
#include "../../plugins/schedule/vp_quadratic.c"
#undef ssk_plugin_entry

static struct cosine all_cosine = {.range = {0.005, 100}, .offset = 0.008};
static struct geometric all_geometric = {{0.01, 50}};
static struct karras all_karras = {.range = {0.002, 80}, .rho = 7};
static struct beta all_rates = {.beta_min = 0.1, .beta_max = 20, .eps = 1e-3};
static struct beta all_squares = {.beta_min = 0.005, .beta_max = 25, .eps = 0.02};
static struct ve all_ve = {.range = {0.01, 50}, .eps = 1e-3};

enum { ALL_SCHEDULES = 7 };
static struct ssk_instance all_schedules[ALL_SCHEDULES] = {
    {&cosine_component, &all_cosine, "t.schedule"},
    {&geometric_component, &all_geometric, "t.schedule"},
    {&karras_component, &all_karras, "t.schedule"},
    {&sub_vp_component, &all_rates, "t.schedule"},
    {&ve_component, &all_ve, "t.schedule"},
    {&vp_linear_component, &all_rates, "t.schedule"},
    {&vp_quadratic_component, &all_squares, "t.schedule"},
};

#endif
