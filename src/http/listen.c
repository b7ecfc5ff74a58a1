/* Made by hand rather than by libmicrohttpd, which reports a used port with a log line only. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/quantity.h"

/*
 * Connections waiting to be accepted. With the usual 128, a thousand opened at once take three
 * seconds, because the kernel drops what does not fit and clients try again after one.
 */
enum { BACKLOG = 1024 };

enum { HOST_MAX = 256, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

struct host_port {
    char host[HOST_MAX]; /* "" = all addresses */
    char port[PORT_DIGITS_MAX + 1];
};

/* A number, but none that a port can have. */
static bool is_out_of_range(const char *port)
{
    const char *digits = port + (port[0] == '-');
    uint64_t n;

    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    return digits != port || quantity_parse_u64(digits, &n) < 0 || n > PORT_MAX;
}

static int split(const char *address, struct host_port *ret, struct err *err)
{
    const char *colon = strrchr(address, ':');
    uint64_t port;

    if (strstr(address, "://"))
        return err_set(err, ERR_CONF,
                       "'%s' is no listen address: an address is host:port without a scheme",
                       address);
    if (colon && is_out_of_range(colon + 1))
        return err_set(err, ERR_CONF, "'%s' is no listen address: the port must be from 0 to 65535",
                       address);
    if (!colon || strlen(colon + 1) > PORT_DIGITS_MAX || quantity_parse_u64(colon + 1, &port) < 0)
        return err_set(err, ERR_CONF, "'%s' is no listen address: want host:port or :port",
                       address);
    const char *host = address;
    size_t len = (size_t)(colon - address);
    if (len > 0 && host[0] == '[') {
        if (len < 3 || host[len - 1] != ']')
            return err_set(err, ERR_CONF, "'%s' is no listen address: want [v6]:port", address);
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return err_set(err, ERR_CONF,
                       "'%s' is no listen address: an IPv6 address stands in brackets", address);
    }
    if (len >= sizeof(ret->host))
        return err_set(err, ERR_CONF, "'%.64s...' is no listen address: too long", address);
    memcpy(ret->host, host, len);
    ret->host[len] = '\0';
    memcpy(ret->port, colon + 1, strlen(colon));
    return 0;
}

static bool is_wildcard6(const struct sockaddr *sa)
{
    struct sockaddr_in6 sin6;

    if (sa->sa_family != AF_INET6)
        return false;
    memcpy(&sin6, sa, sizeof(sin6));
    return IN6_IS_ADDR_UNSPECIFIED(&sin6.sin6_addr);
}

/* A socket that listens on one address; -1 and errno. */
static int open_one(const struct addrinfo *ai)
{
    CLEANUP(fdp)
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    const int on = 1;
    /* The wildcard means every address; any other IPv6 address only itself. */
    const int v6only = !is_wildcard6(ai->ai_addr);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -1;
    if (ai->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
        return -1;
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return -1;

    int listening = fd;
    fd = -1;
    return listening;
}

static unsigned local_port(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return 0;
    if (ss.ss_family == AF_INET6) {
        memcpy(&sin6, &ss, sizeof(sin6));
        return ntohs(sin6.sin6_port);
    }
    memcpy(&sin, &ss, sizeof(sin));
    return ntohs(sin.sin_port);
}

/*
 * The first address of the given family that can be had; -1 with the errno of the first that
 * could not, which is the one the user meant.
 */
static int open_any(const struct addrinfo *list, int family)
{
    int first_errno = EAFNOSUPPORT;
    bool failed = false;

    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        if (family != AF_UNSPEC && ai->ai_family != family)
            continue;

        int fd = open_one(ai);
        if (fd >= 0)
            return fd;
        if (!failed)
            first_errno = errno;
        failed = true;
    }
    errno = first_errno;
    return -1;
}

/* IPv6 first, which takes IPv4 along; IPv4 alone only where there is no IPv6 at all. */
static int open_all_addresses(const struct addrinfo *list)
{
    int fd = open_any(list, AF_INET6);

    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = open_any(list, AF_INET);
    return fd;
}

int listen_check(const char *address, struct err *err)
{
    struct host_port hp;

    return split(address, &hp, err);
}

int listen_describe(int fd, char *ret, size_t size, struct err *err)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);
    char host[LISTEN_ADDRESS_LEN];
    char port[PORT_DIGITS_MAX + 1];

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return err_set(err, ERR_IO, "cannot read the listen address: %s", strerror(errno));
    int rc = getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port, sizeof(port),
                         NI_NUMERICHOST | NI_NUMERICSERV);
    if (rc != 0)
        return err_set(err, ERR_IO, "cannot read the listen address: %s", gai_strerror(rc));
    (void)snprintf(ret, size, ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

int listen_open(const char *address, int *ret_fd, unsigned *ret_port, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    struct host_port hp;

    if (split(address, &hp, err) < 0)
        return -1;
    int rc = getaddrinfo(*hp.host ? hp.host : NULL, hp.port, &hints, &list);
    if (rc != 0)
        return err_set(err, ERR_IO, "cannot listen on %s: %s", address, gai_strerror(rc));
    int fd = *hp.host ? open_any(list, AF_UNSPEC) : open_all_addresses(list);
    int saved = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot listen on %s: %s", address, strerror(saved));
    *ret_fd = fd;
    *ret_port = local_port(fd);
    return 0;
}
