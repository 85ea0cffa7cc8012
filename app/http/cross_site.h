/* app/http/cross_site.h - requests that a page of another site makes */
#ifndef APP_HTTP_CROSS_SITE_H
#define APP_HTTP_CROSS_SITE_H

#include <stdbool.h>

struct http_call;

/* A page of another site must not act through the browser of someone who is
 * logged in here. SameSite=Strict stops most of it; this stops the rest: other
 * ports of this host, old browsers, http.auth=false. */
bool http_is_cross_site(const struct http_call *c);
/* 403, and of which site the page should be. */
void http_answer_cross_site(struct http_call *c);
#endif
