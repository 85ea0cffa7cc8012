#include "app/net/listen.h"

#include "app/net/sockaddr.h"

int listen_on(uv_tcp_t *tcp, const struct gb_addr *a, int backlog,
              uv_connection_cb on_connection)
{
    struct sockaddr_storage ss;
    int err;

    sockaddr_of(&ss, a, false);
    err = uv_tcp_bind(tcp, (const struct sockaddr *)&ss,
                      a->family == GB_IPV6 ? UV_TCP_IPV6ONLY : 0);
    return err ? err : uv_listen((uv_stream_t *)tcp, backlog, on_connection);
}

bool listen_lacks_v6(const struct gb_addr *a, int err)
{
    return a->family == GB_IPV6 && gb_addr_is_any(a) &&
           (err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL);
}
