/* sipdump - a SIP message in, its parsed view with offsets out
 *
 *     sipdump [-t] [FILE...]      standard input without FILE; -t: as if cut
 *                                 from a stream
 *
 * Exit status 0, or 1 when a file could not be read or parsed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/dump.h"

#define MAX_BYTES (SIP_MAX_HEAD + SIP_MAX_BODY)
#define MAX_DUMP (4 * MAX_BYTES + 65536)

static int dump(FILE *in, enum sip_carrier carrier)
{
    static struct sip_msg m;
    char *bytes = malloc(MAX_BYTES), *text = malloc(MAX_DUMP);
    struct gb_diag diag = { 0, "" };
    struct writer w;
    size_t n;
    int err = 1;

    if (bytes && text) {
        n = fread(bytes, 1, MAX_BYTES, in);
        w = writer_of(text, MAX_DUMP);
        err = sip_msg_parse(&m, slice_of(bytes, n), carrier, &diag);
        sip_msg_dump(&w, &m, err, &diag);
        fwrite(text, 1, w.len, stdout);
    }
    free(bytes);
    free(text);
    return err != 0;
}

int main(int argc, char **argv)
{
    enum sip_carrier carrier = SIP_DATAGRAM;
    int i = 1, failed = 0;

    if (i < argc && strcmp(argv[i], "-t") == 0) {
        carrier = SIP_STREAM;
        i++;
    }
    if (i == argc)
        return dump(stdin, carrier);
    for (; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");

        if (!in) {
            perror(argv[i]);
            failed = 1;
            continue;
        }
        failed |= dump(in, carrier);
        fclose(in);
    }
    return failed;
}
