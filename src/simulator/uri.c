#include "uri.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

void uri_decode(struct strbuf *out, const char *s, size_t len, bool plus_is_space)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && len - i > 2 && hex_value(s[i + 1]) >= 0 && hex_value(s[i + 2]) >= 0) {
            strbuf_addc(out, (char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2])));
            i += 2;
        } else {
            strbuf_addc(out, s[i] == '+' && plus_is_space ? ' ' : s[i]);
        }
    }
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void uri_encode(struct strbuf *out, const char *s, size_t len, const char *also_raw)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        if (is_unreserved(s[i]) || (s[i] && strchr(also_raw, s[i]))) {
            strbuf_addc(out, s[i]);
        } else {
            unsigned char byte = (unsigned char)s[i];
            char text[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            strbuf_add(out, text, sizeof(text));
        }
    }
}

static char *decoded(const char *s, size_t len)
{
    struct strbuf b = STRBUF_INIT;
    strbuf_adds(&b, "");
    uri_decode(&b, s, len, true);
    if (!b.ptr && !b.bad)
        return strdup("");
    return strbuf_take(&b, NULL);
}

int uri_query_init(struct uri_query *q, const char *raw)
{
    *q = (struct uri_query){0};
    while (raw && *raw) {
        size_t len = strcspn(raw, "&");
        if (len) {
            if (q->n_params == URI_QUERY_MAX_PARAMS)
                goto fail;
            struct uri_param *grown =
                realloc(q->params, (q->n_params + 1) * sizeof(struct uri_param));
            if (!grown)
                goto fail;
            q->params = grown;
            const char *eq = memchr(raw, '=', len);
            size_t key_len = eq ? (size_t)(eq - raw) : len;
            struct uri_param *p = &q->params[q->n_params++];
            p->key = decoded(raw, key_len);
            p->value = eq ? decoded(eq + 1, len - key_len - 1) : strdup("");
            if (!p->key || !p->value)
                goto fail;
        }
        raw += len + (raw[len] == '&');
    }
    return 0;
fail:
    uri_query_release(q);
    return -1;
}

void uri_query_release(struct uri_query *q)
{
    for (size_t i = 0; i < q->n_params; i++) {
        free(q->params[i].key);
        free(q->params[i].value);
    }
    free(q->params);
    *q = (struct uri_query){0};
}

const char *uri_query_get(const struct uri_query *q, const char *key)
{
    for (size_t i = 0; i < q->n_params; i++) {
        if (strcmp(q->params[i].key, key) == 0)
            return q->params[i].value;
    }
    return NULL;
}

static int compare_params(const void *a, const void *b)
{
    const struct uri_param *x = a;
    const struct uri_param *y = b;
    int by_key = strcmp(x->key, y->key);
    return by_key ? by_key : strcmp(x->value, y->value);
}

void uri_query_canonical(const struct uri_query *q, struct strbuf *out)
{
    struct uri_param sorted[URI_QUERY_MAX_PARAMS];
    if (q->n_params)
        memcpy(sorted, q->params, q->n_params * sizeof(sorted[0]));
    qsort(sorted, q->n_params, sizeof(sorted[0]), compare_params);
    for (size_t i = 0; i < q->n_params; i++) {
        if (i)
            strbuf_addc(out, '&');
        uri_encode(out, sorted[i].key, strlen(sorted[i].key), "");
        strbuf_addc(out, '=');
        uri_encode(out, sorted[i].value, strlen(sorted[i].value), "");
    }
}
