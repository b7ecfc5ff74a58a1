#include "origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

struct scheme {
    const char *name;
    uint16_t default_port;
};
static const struct scheme schemes[] = {
    {"https", PORT_HTTPS},
    {"http", PORT_HTTP},
    {"socks5", 0},
    {"socks5h", 0},
};

struct url {
    const struct scheme *scheme; /* NULL: another one */
    bool has_user;
    bool has_rest; /* a path, query or fragment that is more than "/" */
    char host[ORIGIN_HOST_SIZE];
    uint16_t port; /* 0 = none given */
};

static const struct scheme *find_scheme(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strlen(schemes[i].name) == len && strncasecmp(schemes[i].name, name, len) == 0)
            return &schemes[i];
    return NULL;
}

static bool parse_port(const char *s, size_t len, uint16_t *ret)
{
    unsigned port = 0;

    if (len == 0 || len > PORT_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        port = port * 10 + (unsigned)(s[i] - '0');
    }
    *ret = (uint16_t)port;
    return port > 0 && port <= PORT_MAX;
}

/* host[:port] of len bytes. */
static const char *parse_host_port(const char *s, size_t len, struct url *ret)
{
    static const char bad_port[] = "must have a port from 1 to 65535, or none";
    const char *bracket = s[0] == '[' ? memchr(s, ']', len) : NULL;
    const char *from = bracket ? bracket : s;
    const char *colon = memchr(from, ':', len - (size_t)(from - s));
    size_t host_len = colon ? (size_t)(colon - s) : len;

    if (host_len >= sizeof(ret->host))
        return "must not have a host name longer than 253 bytes";
    for (size_t i = 0; i < host_len; i++)
        ret->host[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
    ret->host[host_len] = '\0';
    const char *complaint = text_host_complaint(ret->host);
    if (complaint)
        return complaint;
    if (colon && !parse_port(colon + 1, len - host_len - 1, &ret->port))
        return bad_port;
    return NULL;
}

static const char *parse_url(const char *s, struct url *ret)
{
    const char *sep = strstr(s, "://");

    *ret = (struct url){0};
    if (!sep)
        return NULL;
    ret->scheme = find_scheme(s, (size_t)(sep - s));
    const char *authority = sep + 3;
    size_t len = strcspn(authority, "/?#");
    ret->has_rest = authority[len] != '\0' && strcmp(authority + len, "/") != 0;
    const char *user_end = memrchr(authority, '@', len);
    if (user_end) {
        ret->has_user = true;
        len -= (size_t)(user_end + 1 - authority);
        authority = user_end + 1;
    }
    return parse_host_port(authority, len, ret);
}

/* One spelling for each IPv6 address; it goes into the Host header and a label. */
static void normalise_ipv6(char *host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr in;
    size_t len = strlen(host);

    if (host[0] != '[')
        return;
    host[len - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &in) == 1 && inet_ntop(AF_INET6, &in, text, sizeof(text)))
        (void)snprintf(host, ORIGIN_HOST_SIZE, "[%s]", text);
}

static bool is_loopback(const char *host)
{
    struct in_addr in;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &in) == 1 && ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Addresses that lead no further than the machine and its hypervisor. */
static bool is_metadata_address(const char *host)
{
    struct in_addr in;

    if (inet_pton(AF_INET, host, &in) != 1)
        return false;
    uint32_t address = ntohl(in.s_addr);
    return address >> 16 == 0xa9fe || address >> 22 == 0x64400000 >> 22;
}

static const char *parse_origin(const char *url, bool metadata, struct origin *ret)
{
    struct url u;
    const char *complaint = parse_url(url, &u);

    if (!u.scheme || (u.scheme->default_port != PORT_HTTP && u.scheme->default_port != PORT_HTTPS))
        return "must start with https://";
    if (u.has_user)
        return "must not hold a user name or password";
    if (complaint)
        return complaint;
    if (u.has_rest)
        return "must not have a path, query or fragment";
    normalise_ipv6(u.host);
    if (u.scheme->default_port == PORT_HTTP && !is_loopback(u.host) &&
        !(metadata && is_metadata_address(u.host)))
        return metadata ? "must start with https://; plain http is for loopback and metadata "
                          "addresses only"
                        : "must start with https://; plain http is for loopback hosts only";

    if (u.port && u.port != u.scheme->default_port)
        (void)snprintf(ret->host, sizeof(ret->host), "%.*s:%hu", (int)sizeof(ret->host) - 7, u.host,
                       u.port);
    else
        (void)snprintf(ret->host, sizeof(ret->host), "%s", u.host);
    (void)snprintf(ret->url, sizeof(ret->url), "%s://%s", u.scheme->name, ret->host);
    return NULL;
}

const char *origin_parse(const char *url, struct origin *ret)
{
    return parse_origin(url, false, ret);
}

const char *origin_parse_metadata(const char *url, struct origin *ret)
{
    return parse_origin(url, true, ret);
}

const char *uri_complaint(const char *url)
{
    struct url u;
    const char *complaint = parse_url(url, &u);

    if (!u.scheme || u.scheme->default_port == 0)
        return "must start with http:// or https://";
    if (u.has_user)
        return "must not hold a user name or password";
    if (complaint)
        return complaint;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '#')
            return "must be encoded as it is sent, without blanks and fragment";
    return NULL;
}

void origin_of_region(const char *region_id, bool vpc, struct origin *ret)
{
    (void)snprintf(ret->host, sizeof(ret->host), "ververica%s.%.63s.aliyuncs.com",
                   vpc ? "-vpc" : "", region_id);
    (void)snprintf(ret->url, sizeof(ret->url), "https://%s", ret->host);
}

const char *proxy_complaint(const char *url)
{
    struct url u;

    if (*url == '\0' || strcmp(url, "none") == 0)
        return NULL;
    const char *complaint = parse_url(url, &u);
    if (!u.scheme)
        return "must be \"\", \"none\" or a URL that starts with http://, https://, socks5:// or "
               "socks5h://";
    if (complaint)
        return complaint;
    return u.has_rest ? "must not have a path, query or fragment" : NULL;
}
