#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "model/ticket.h"

enum {
    DNS_NAME_BYTES_MAX = 253,
    DNS_LABEL_BYTES_MAX = 63,
    ADDRESS_BYTES_MAX = 63,
};

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static bool is_graphic(const char *s)
{
    for (; *s; s++)
        if (*s <= 0x20 || *s >= 0x7f)
            return false;
    return true;
}

static const char not_a_name[] = "takes names, not patterns";

static bool is_pattern(const char *s)
{
    return strpbrk(s, "*?") != NULL;
}

static const char *workspace_complaint(const char *s)
{
    if (strchr(s, '/'))
        return "must not contain '/'";
    if (is_pattern(s))
        return not_a_name;
    return is_graphic(s) ? NULL : "must be of ASCII letters, digits and signs, without blanks";
}

static const char *namespace_complaint(const char *s)
{
    size_t len = strlen(s);

    if (strchr(s, '/'))
        return "must not contain '/'";
    if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return "must be a name, not \".\" or \"..\"";
    if (is_pattern(s))
        return not_a_name;
    return s[0] == ' ' || s[len - 1] == ' ' ? "must not start or end with a blank" : NULL;
}

static const char *ticket_complaint(const char *s)
{
    const char *slash = strchr(s, '/');

    if (!slash || slash == s)
        return "must be of the form \"namespace/ticketId\"";
    return ticket_id_valid(slash + 1)
               ? NULL
               : "must end with a ticket id: up to 128 letters, digits, '-' and '_', the first of "
                 "them a letter or digit";
}

static const char *region_complaint(const char *s)
{
    static const char complaint[] =
        "must be of lower-case letters, digits and '-', such as \"cn-hangzhou\"";
    size_t len = strlen(s);

    if (len > 0 && (s[0] == '-' || s[len - 1] == '-'))
        return complaint;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len ? NULL : complaint;
}

static const char *key_complaint(const char *s)
{
    return is_graphic(s) ? NULL : "must be of ASCII letters, digits and signs, without blanks";
}

static bool is_of(const char *s, const char *signs)
{
    for (; *s; s++)
        if (!is_alnum(*s) && !strchr(signs, *s))
            return false;
    return true;
}

static const char *role_complaint(const char *s)
{
    return is_of(s, ".-_") ? NULL : "must be of letters, digits, '.', '-' and '_'";
}

static const char *arn_complaint(const char *s)
{
    if (*s && strncmp(s, "acs:ram::", strlen("acs:ram::")) != 0)
        return "must start with acs:ram::";
    return key_complaint(s);
}

static const char *session_complaint(const char *s)
{
    return strlen(s) != 1 && is_of(s, ".@_-")
               ? NULL
               : "must be of at least 2 letters, digits, '.', '@', '_' and '-'";
}

static const char *label_value_complaint(const char *s)
{
    return strchr(s, ';') ? "must not contain ';'" : NULL;
}

static const char *metric_glob_complaint(const char *s)
{
    for (; *s; s++)
        if (!is_alnum(*s) && !strchr("_:*?", *s))
            return "must be a metric name, or one with '*' or '?' in it";
    return NULL;
}

static const char *server_name_complaint(const char *s)
{
    return *s ? text_host_complaint(s) : NULL;
}

const char *text_complaint(enum text_rule rule, const char *s)
{
    static const struct {
        bool may_be_empty;
        size_t bytes_max;
        const char *too_long;
        const char *(*complaint)(const char *s);
    } rules[TEXT_END] = {
        [TEXT_ANY] = {true, 1024, "must not be longer than 1024 bytes", NULL},
        [TEXT_NAME] = {false, 128, "must not be longer than 128 bytes", NULL},
        [TEXT_WORKSPACE] = {false, 128, "must not be longer than 128 bytes", workspace_complaint},
        [TEXT_NAMESPACE] = {false, 128, "must not be longer than 128 bytes", namespace_complaint},
        [TEXT_REGION] = {true, 63, "must not be longer than 63 bytes", region_complaint},
        [TEXT_HOST] = {true, 253, "must not be longer than 253 bytes", server_name_complaint},
        [TEXT_DEPLOYMENT] = {false, 256, "must not be longer than 256 bytes", NULL},
        [TEXT_TICKET] = {false, 257, "must not be longer than 257 bytes", ticket_complaint},
        [TEXT_LABEL_VALUE] = {false, 1024, "must not be longer than 1024 bytes",
                              label_value_complaint},
        [TEXT_FILE] = {false, 4095, "must not be longer than 4095 bytes", NULL},
        [TEXT_FILE_OR_NONE] = {true, 4095, "must not be longer than 4095 bytes", NULL},
        [TEXT_KEY] = {false, 4096, "must not be longer than 4096 bytes", key_complaint},
        [TEXT_ROLE] = {true, 64, "must not be longer than 64 bytes", role_complaint},
        [TEXT_ARN] = {true, 512, "must not be longer than 512 bytes", arn_complaint},
        [TEXT_SESSION] = {true, 64, "must not be longer than 64 bytes", session_complaint},
        [TEXT_GLOB] = {false, 256, "must not be longer than 256 bytes", NULL},
        [TEXT_METRIC_GLOB] = {false, 256, "must not be longer than 256 bytes",
                              metric_glob_complaint},
    };
    size_t len = strlen(s);

    if (has_control(s))
        return "must not contain control characters";
    if (!utf8_valid(s, len))
        return "must be valid UTF-8";
    if (len == 0 && !rules[rule].may_be_empty)
        return "must not be empty";
    if (len > rules[rule].bytes_max)
        return rules[rule].too_long;
    return rules[rule].complaint ? rules[rule].complaint(s) : NULL;
}

static bool is_ipv6(const char *s, size_t len)
{
    char address[ADDRESS_BYTES_MAX + 1];
    struct in6_addr in;

    if (len > ADDRESS_BYTES_MAX)
        return false;
    memcpy(address, s, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, &in) == 1;
}

static bool is_dns_label(const char *label, size_t len)
{
    if (len == 0 || len > DNS_LABEL_BYTES_MAX || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

const char *text_host_complaint(const char *host)
{
    size_t len = strlen(host);
    const char *label = host;
    struct in_addr in;

    if (len == 0)
        return "must name a host";
    if (host[0] == '[')
        return host[len - 1] == ']' && is_ipv6(host + 1, len - 2)
                   ? NULL
                   : "must name a host; this is no IPv6 address";
    if (len > DNS_NAME_BYTES_MAX)
        return "must not have a host name longer than 253 bytes";
    for (;;) {
        size_t label_len = strcspn(label, ".");

        if (!is_dns_label(label, label_len))
            return "must name a host by letters, digits, '-' and '.'";
        if (!label[label_len])
            break;
        label += label_len + 1;
    }
    /* The resolver takes 127.1 and 0x7f.1 for addresses, too. */
    if (label[0] >= '0' && label[0] <= '9' && inet_pton(AF_INET, host, &in) != 1)
        return "must name a host; this is no IPv4 address";
    return NULL;
}
