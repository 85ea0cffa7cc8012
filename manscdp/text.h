/* manscdp/text.h - GB 18030, GBK, GB 2312 and UTF-8, both ways
 * (GB/T 28181-2022 §6.10; GB 18030-2022)
 *
 * Inside the program all text is UTF-8. What a peer declares is a hint that is
 * often wrong, so the bytes decide. One generated table serves all: GB 2312 is
 * a subset of GBK, and GBK of GB 18030. No function here fails on bad bytes:
 * what cannot be converted becomes '?'. */
#ifndef MANSCDP_TEXT_H
#define MANSCDP_TEXT_H

#include "base/slice.h"
#include "base/writer.h"

/* What is declared, and with which bytes. 0 is what every edition reads. */
enum manscdp_charset {
    MANSCDP_GB2312,  /* declared GB2312, two-byte GBK; the rest becomes '?' */
    MANSCDP_GB18030, /* declared GB18030 (2022), all of Unicode but six private
                        characters, whose codes are those of public ones now */
    MANSCDP_UTF8,
    MANSCDP_ASCII    /* only as a result of detection: no byte >= 0x80 */
};

/* The name in the XML declaration: "GB2312", "GB18030", "UTF-8". */
const char *manscdp_charset_name(enum manscdp_charset c);

/* By name, without regard to case; GBK and CP936 count as GB2312. false: *c
 * untouched. For configuration, not for what a peer declares. */
bool manscdp_charset_by_name(struct slice name, enum manscdp_charset *c);

/* By content: a BOM, or valid UTF-8 with a character of three bytes or more,
 * is UTF-8 (some GBK words are valid two-byte UTF-8, so those do not count);
 * else GB 18030. ASCII when there is nothing to decide. Never GB2312. */
enum manscdp_charset manscdp_text_detect(struct slice in);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool manscdp_text_is_utf8(struct slice in);

/* UTF-16: a BOM in either order of bytes, or a '<' of two. No edition knows it. */
bool manscdp_text_is_wide(struct slice in);

/* Appends it as UTF-8, without its BOM; what is no character becomes '?'. Room for
 * MANSCDP_TEXT_DECODED_MAX. */
void manscdp_text_decode_wide(struct writer *w, struct slice in);

/* Room that decoding n bytes can need, whatever they are: three characters of two
 * bytes take four of UTF-8 (FE51 to FE53, U+20087 and others). */
#define MANSCDP_TEXT_DECODED_MAX(n) ((n) * 2 + 4)

/* Room that encoding n bytes of UTF-8 can need, whatever they are. */
#define MANSCDP_TEXT_ENCODED_MAX(n) ((n) * 2)

/* Appends in as UTF-8. GB2312 and GB18030 decode alike. A BOM is dropped. */
void manscdp_text_decode(struct writer *w, struct slice in,
                         enum manscdp_charset from);

/* Appends in, which detection says is GB 18030, as UTF-8; runs between '<' and
 * '>' that are plainly UTF-8 stay as they are: bodies in which names of
 * another origin were relayed raw. */
void manscdp_text_decode_mixed(struct writer *w, struct slice in);

/* One of those runs, what stands between '>' and '<' and neither of them. */
void manscdp_text_decode_run(struct writer *w, struct slice run);

/* The same, quickly, for what most names are: ASCII and whole characters of GB
 * 2312's own area. false: it is something else, or w has no ample room; nothing
 * was appended. */
bool manscdp_text_names(struct writer *w, struct slice run);

/* Appends in, which should be UTF-8, in the peer's character set. */
void manscdp_text_encode(struct writer *w, struct slice in,
                         enum manscdp_charset to);

/* At most max bytes of valid UTF-8 s, cut between characters. */
struct slice manscdp_text_cut(struct slice s, size_t max);
#endif
