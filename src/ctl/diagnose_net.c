#include "diagnose_net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* --- where to --- */

/* "host:port", "[v6]:port", "host". -1 if it does not fit or is empty. */
static int split_host(const char *text, size_t len, const char *default_port,
                      struct net_place *place)
{
    const char *end = text + len;
    const char *host = text;
    const char *host_end;
    const char *port = default_port;
    size_t port_len = strlen(default_port);

    if (len > 0 && *text == '[') {
        host++;
        host_end = memchr(text, ']', len);
        if (!host_end)
            return -1;
        text = host_end + 1;
    } else {
        host_end = memchr(text, ':', len);
        host_end = host_end ? host_end : end;
        text = host_end;
    }
    if (text < end && *text == ':') {
        port = text + 1;
        port_len = (size_t)(end - port);
    }
    size_t host_len = (size_t)(host_end - host);
    if (host_len == 0 || host_len >= sizeof(place->host) || port_len == 0 ||
        port_len >= sizeof(place->port))
        return -1;
    memcpy(place->host, host, host_len);
    place->host[host_len] = '\0';
    memcpy(place->port, port, port_len);
    place->port[port_len] = '\0';
    return 0;
}

/* As libcurl has it: the default scheme is http, the default port 1080 but for https. */
static int split_proxy(const char *url, struct net_place *place)
{
    const char *scheme_end = strstr(url, "://");
    const char *authority = scheme_end ? scheme_end + 3 : url;
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);
    const char *port = strncasecmp(url, "https://", 8) == 0 ? "443" : "1080";

    if (at) {
        len -= (size_t)(at + 1 - authority);
        authority = at + 1;
    }
    return split_host(authority, len, port, place);
}

/* no_proxy: names, with all below them, or "*". */
static bool is_excepted(const char *host)
{
    const char *list = getenv("no_proxy");
    size_t host_len = strlen(host);

    if (!list)
        list = getenv("NO_PROXY");
    for (; list && *list; list += strspn(list, ", ")) {
        size_t len = strcspn(list, ", ");
        const char *word = list;

        list += len;
        if (len == 1 && *word == '*')
            return true;
        if (len > 0 && *word == '.') {
            word++;
            len--;
        }
        if (len > 0 && len <= host_len && strncasecmp(host + host_len - len, word, len) == 0 &&
            (len == host_len || host[host_len - len - 1] == '.'))
            return true;
    }
    return false;
}

static const char *environment_proxy(bool secure, const char **ret_name)
{
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const for_http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    const char *const *names = secure ? for_https : for_http;
    size_t n = secure ? ARRAY_LEN(for_https) : ARRAY_LEN(for_http);

    for (size_t i = 0; i < n; i++) {
        const char *value = getenv(names[i]);

        if (value && *value) {
            *ret_name = names[i];
            return value;
        }
    }
    return NULL;
}

int net_place_of(const struct target *target, struct net_place *ret, struct err *err)
{
    bool secure = strncmp(target->endpoint, "https://", 8) == 0;
    struct net_place place = {.proxy_source = "proxy_url"};
    const char *proxy = target->proxy_url;

    if (split_host(target->host, strlen(target->host), secure ? "443" : "80", &place) < 0)
        return err_set(err, ERR_CONF, "the endpoint '%s' names no host", target->host);
    if (!*proxy)
        proxy = is_excepted(place.host) ? NULL : environment_proxy(secure, &place.proxy_source);
    else if (strcmp(proxy, "none") == 0)
        proxy = NULL;
    if (proxy) {
        place.is_proxy = true;
        if (split_proxy(proxy, &place) < 0)
            return err_set(err, ERR_CONF, "the proxy of %s names no host", place.proxy_source);
    }
    *ret = place;
    return 0;
}

/* --- names --- */

/* Shared with a thread that may outlive whoever waits for it. */
struct lookup {
    atomic_int refs;
    atomic_bool done; /* what is below may be read */
    int done_fd;      /* readable then */
    struct net_place place;
    int rc; /* of getaddrinfo */
    int error_number;
    struct addrinfo *list;
};

struct net_addresses {
    struct lookup *lookup;
};

static void lookup_unref(struct lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    if (l->list)
        freeaddrinfo(l->list);
    fdp(&l->done_fd);
    free(l);
}

static void *lookup_main(void *arg)
{
    struct lookup *l = arg;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    uint64_t one = 1;

    l->rc = getaddrinfo(l->place.host, l->place.port, &hints, &l->list);
    l->error_number = errno;
    atomic_store(&l->done, true);
    /* A new counter takes a 1 always; and who waits looks at the flag in the end. */
    (void)!write(l->done_fd, &one, sizeof(one));
    lookup_unref(l);
    return NULL;
}

static struct lookup *lookup_start(const struct net_place *place)
{
    struct lookup *l = calloc(1, sizeof(*l));
    pthread_attr_t attr;
    pthread_t thread;
    int rc;

    if (!l)
        return NULL;
    atomic_init(&l->refs, 2);
    l->place = *place;
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    rc = l->done_fd < 0 ? -1 : pthread_attr_init(&attr);
    if (rc == 0) {
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        rc = pthread_create(&thread, &attr, lookup_main, l);
        pthread_attr_destroy(&attr);
    }
    if (rc != 0) {
        atomic_store(&l->refs, 1);
        lookup_unref(l);
        return NULL;
    }
    return l;
}

static void put_address(const struct addrinfo *ai, struct strbuf *text)
{
    char host[64], port[16];

    if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        strbuf_addf(text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    else
        strbuf_adds(text, "?");
}

void net_addresses_free(struct net_addresses *a)
{
    if (a)
        lookup_unref(a->lookup);
    free(a);
}

void net_addresses_freep(struct net_addresses **a)
{
    net_addresses_free(*a);
}

static int wait_for_lookup(struct interrupt *interrupt, const struct lookup *l, struct err *err)
{
    switch (interrupt_wait(interrupt, l->done_fd, POLLIN, clock_mono_ms() + NET_TIMEOUT_MS)) {
    case WAIT_INTERRUPTED:
        return err_set(err, ERR_STOPPED, "interrupted");
    case WAIT_TIMED_OUT:
    case WAIT_READY:
        break;
    }
    if (!atomic_load(&l->done))
        return err_set(err, ERR_DNS, "the name service did not answer within %d ms",
                       NET_TIMEOUT_MS);
    if (l->rc == 0)
        return 0;
    return err_set(err, ERR_DNS, "'%s': %s", l->place.host,
                   l->rc == EAI_SYSTEM ? strerror(l->error_number) : gai_strerror(l->rc));
}

int net_look_up(struct interrupt *interrupt, const struct net_place *place,
                struct net_addresses **ret, struct strbuf *text, struct err *err)
{
    struct net_addresses *a = calloc(1, sizeof(*a));

    if (!a || !(a->lookup = lookup_start(place))) {
        free(a);
        return err_nomem(err, "a thread for the name service");
    }
    if (wait_for_lookup(interrupt, a->lookup, err) < 0) {
        net_addresses_free(a);
        return -1;
    }
    for (const struct addrinfo *ai = a->lookup->list; ai; ai = ai->ai_next) {
        strbuf_adds(text, ai == a->lookup->list ? "" : ", ");
        put_address(ai, text);
    }
    *ret = a;
    return 0;
}

/* --- connections --- */

static int finish_connect(struct interrupt *interrupt, int fd, struct err *err)
{
    int error = 0;
    socklen_t len = sizeof(error);

    switch (interrupt_wait(interrupt, fd, POLLOUT, clock_mono_ms() + NET_TIMEOUT_MS)) {
    case WAIT_INTERRUPTED:
        return err_set(err, ERR_STOPPED, "interrupted");
    case WAIT_TIMED_OUT:
        return err_set(err, ERR_CONNECT, "no answer within %d ms", NET_TIMEOUT_MS);
    case WAIT_READY:
        break;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    return error == 0 ? 0 : err_set(err, ERR_CONNECT, "%s", strerror(error));
}

static int connect_to(struct interrupt *interrupt, const struct addrinfo *ai, struct err *err)
{
    CLEANUP(fdp)
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);

    if (fd < 0)
        return err_set(err, ERR_CONNECT, "%s", strerror(errno));
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return err_set(err, ERR_CONNECT, "%s", strerror(errno));
    return finish_connect(interrupt, fd, err);
}

int net_connect(struct interrupt *interrupt, const struct net_addresses *addresses,
                struct strbuf *text, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf reasons = STRBUF_INIT;
    int n = 0;

    for (const struct addrinfo *ai = addresses->lookup->list; ai && n < NET_ADDRESSES_MAX;
         ai = ai->ai_next, n++) {
        if (connect_to(interrupt, ai, err) == 0) {
            put_address(ai, text);
            return 0;
        }
        if (err->kind == ERR_STOPPED)
            return -1;
        strbuf_adds(&reasons, n > 0 ? "; " : "");
        put_address(ai, &reasons);
        strbuf_addf(&reasons, ": %s", err->msg);
    }
    return err_set(err, ERR_CONNECT, "%s", strbuf_str(&reasons));
}
