/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shape_text.h - shapes in messages. */
#ifndef SSK_TENSOR_SHAPE_TEXT_H
#define SSK_TENSOR_SHAPE_TEXT_H

/* "[3, 4, 5]" into a buffer; for messages. */
struct ssk_shape_text {
  char text[64];
};
struct ssk_shape_text ssk_shape_text(int ndim, const int *shape);
#define SSK_SHOW(x) (ssk_shape_text((x)->ndim, (x)->shape).text)

#endif
