/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contract.h - the part of the contract that concerns parameter rows. */
#ifndef SSK_REGISTRY_CONTRACT_H
#define SSK_REGISTRY_CONTRACT_H

#include <sskit/params.h>

/* Check a table of rows for a struct of `size` bytes; `who` begins the message. SSK_OK, or a code
 * with one diagnostic. */
int ssk_contract_rows(const struct ssk_param *rows, size_t size, const char *who, ssk_err *err);

#endif
