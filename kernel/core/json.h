/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.h - members of JSON objects that may be absent, or of another type. */
#ifndef SSK_CORE_JSON_H
#define SSK_CORE_JSON_H

#include <jansson.h>
#include <math.h>

/* A number; NaN where there is none. */
static inline double ssk_json_number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* A text, the object's; "" where there is none. */
static inline const char *ssk_json_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

#endif
