/* test/xmlview.h - an XML tree as text, one element a line, for golden files */
#ifndef TEST_XMLVIEW_H
#define TEST_XMLVIEW_H

#include "base/writer.h"
#include "manscdp/xml.h"

void xmlview_write(struct writer *w, const struct xml_doc *doc);
#endif
