#include "app/net/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <unistd.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

socklen_t sockaddr_of(struct sockaddr_storage *ss, const struct gb_addr *a,
                      bool v6)
{
    struct sockaddr_in in4 = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    memset(ss, 0, sizeof(*ss));
    if (a->family != GB_IPV6 && !v6) {
        in4.sin_port = htons(a->port);
        memcpy(&in4.sin_addr, a->ip, 4);
        memcpy(ss, &in4, sizeof(in4));
        return sizeof(in4);
    }
    in6.sin6_port = htons(a->port);
    if (a->family == GB_IPV6) {
        memcpy(&in6.sin6_addr, a->ip, 16);
    } else if (a->family == GB_IPV4) {
        memcpy(&in6.sin6_addr, mapped, 12);
        memcpy(in6.sin6_addr.s6_addr + 12, a->ip, 4);
    }
    memcpy(ss, &in6, sizeof(in6));
    return sizeof(in6);
}

void sockaddr_read_ip6(struct gb_addr *a, const struct in6_addr *ip)
{
    memset(a, 0, sizeof(*a));
    if (memcmp(ip, mapped, 12) == 0) {
        a->family = GB_IPV4;
        memcpy(a->ip, ip->s6_addr + 12, 4);
    } else {
        a->family = GB_IPV6;
        memcpy(a->ip, ip, 16);
    }
}

/* By memcpy: an object of one of these types that is read as another is what the
 * compiler may not see, and with LTO it then leaves out what was written. */
void sockaddr_read(struct gb_addr *a, const struct sockaddr *sa)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    sa_family_t family;

    memset(a, 0, sizeof(*a));
    memcpy(&family, (const char *)sa + offsetof(struct sockaddr, sa_family),
           sizeof(family));
    if (family == AF_INET) {
        memcpy(&in4, sa, sizeof(in4));
        a->family = GB_IPV4;
        a->port = ntohs(in4.sin_port);
        memcpy(a->ip, &in4.sin_addr, 4);
    } else if (family == AF_INET6) {
        memcpy(&in6, sa, sizeof(in6));
        sockaddr_read_ip6(a, &in6.sin6_addr);
        a->port = ntohs(in6.sin6_port);
    }
}

int sockaddr_route(struct gb_addr *local, const struct gb_addr *remote)
{
    struct sockaddr_storage ss;
    struct gb_addr to = *remote;
    socklen_t len;
    int fd, err = GB_EIO;

    if (to.port == 0)
        to.port = 9;
    len = sockaddr_of(&ss, &to, false);
    fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return GB_EIO;
    if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
        len = sizeof(ss);
        if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0) {
            sockaddr_read(local, (struct sockaddr *)&ss);
            err = 0;
        }
    }
    close(fd);
    return err;
}

int sockaddr_local(const uv_tcp_t *tcp, struct gb_addr *a)
{
    struct sockaddr_storage ss;
    int len = sizeof(ss);
    int err = uv_tcp_getsockname(tcp, (struct sockaddr *)&ss, &len);

    if (!err)
        sockaddr_read(a, (const struct sockaddr *)&ss);
    return err;
}

int sockaddr_peer(const uv_tcp_t *tcp, struct gb_addr *a)
{
    struct sockaddr_storage ss;
    int len = sizeof(ss);
    int err = uv_tcp_getpeername(tcp, (struct sockaddr *)&ss, &len);

    if (!err)
        sockaddr_read(a, (const struct sockaddr *)&ss);
    return err;
}

const char *sockaddr_no_name(int status)
{
    switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
        return "the name cannot be looked up: there is no such name";
    case UV_EAI_AGAIN:
        return "the name cannot be looked up: no name server answers";
    default:
        return "the name cannot be looked up";
    }
}
