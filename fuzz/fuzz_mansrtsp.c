/* What is read can be written, and what was written reads the same. */
#include "fuzz/fuzz.h"

#include "manscdp/mansrtsp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mansrtsp m, again;
    char buf[512];
    struct writer w = writer_of(buf, sizeof(buf));

    if (mansrtsp_parse(&m, slice_of((const char *)data, size), NULL))
        return 0;
    if (mansrtsp_write(&w, &m, false) ||
        mansrtsp_parse(&again, writer_slice(&w), NULL))
        abort();
    if (m.response != again.response || m.status != again.status ||
        m.method != again.method || m.old_version != again.old_version ||
        m.has != again.has || m.cseq != again.cseq ||
        m.scale_milli != again.scale_milli || m.from_now != again.from_now ||
        m.from_ms != again.from_ms || m.to_ms != again.to_ms ||
        m.pause_ms != again.pause_ms || m.seq != again.seq ||
        m.rtptime != again.rtptime)
        abort();
    return 0;
}
