/* app/platform/xmljson.h - an XML element as JSON, for answers that nobody has
 * a codec for
 *
 *     <a><b>1</b><c><d>x</d></c><c/></a>   {"b":"1","c":[{"d":"x"},""]}
 *
 * An element with children is an object, one without is its text; several of
 * one name are an array. Attributes, text beside children, and passwords are left
 * out. */
#ifndef APP_PLATFORM_XMLJSON_H
#define APP_PLATFORM_XMLJSON_H

#include "base/writer.h"
#include "manscdp/xml.h"

#define XMLJSON_KEYS_MAX 200 /* different names inside one element; more are
                                left out */

/* Errors stay in w. Texts are UTF-8, as xml_parse makes them. */
void xmljson_write(struct writer *w, const struct xml_node *n);

/* Whether the text of an element, or of a path that ends in one, is for nobody. */
bool xmljson_is_secret(struct slice name);

/* The parts of it. A text in quotation marks; a child with its name, and
 * those of the same name behind it; whether it is the first one of its name. */
void xmljson_text(struct writer *w, struct slice s);
void xmljson_member(struct writer *w, const struct xml_node *n);
bool xmljson_is_first(const struct xml_node *parent, const struct xml_node *n);
#endif
