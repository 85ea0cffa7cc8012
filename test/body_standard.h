/* test/body_standard.h - the element tables of GB/T 28181 (2011, its amendment
 * of 2014, 2016, 2022), typed from the standard and not from the codecs: names,
 * order, nesting, what must be there, types, by edition */
#ifndef TEST_BODY_STANDARD_H
#define TEST_BODY_STANDARD_H

#include "test/support.h"

/* Editions are '1' (2011) to '4' (2022). */
bool body_standard_among(const char *editions, char edition);

/* Fails the test, naming the file, unless the body is as the edition has it. */
void body_standard_check(const char *file, struct slice in, char edition);
#endif
