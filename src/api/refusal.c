/*
 * The gateway's codes are not a closed list, and bodies come from proxies and load balancers too:
 * code first, status second, and a body that cannot be read is no error of its own.
 *
 * Messages about signatures quote the request as the server would have signed it, and the
 * signature: they are replaced by our own words before anybody can log them.
 */
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "api/json.h"

enum {
    BODY_MAX = 64 * 1024,      /* an error document has about 1 KiB; larger ones are not read */
    JSON_BUDGET = 1024 * 1024, /* tree of an error document */
};

struct rule {
    const char *prefix; /* of the code, any case */
    enum err_kind kind;
    enum retry_hint hint;
    const char *advice; /* instead of the server's message; NULL = the message may be shown */
};

/*
 * The V3 signature's error codes as the vendor's pages list them; the first match counts. Only an
 * expired date is worth another attempt, a malformed one is not.
 */
static const struct rule rules[] = {
    {"InvalidAccessKey", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"SignatureNonceUsed", ERR_AUTHENTICATION, RETRY_HINT_NONCE_USED, "the nonce was used before"},
    {"Signature", ERR_AUTHENTICATION, RETRY_HINT_NONE, "check the AccessKey secret and the clock"},
    {"IncompleteSignature", ERR_AUTHENTICATION, RETRY_HINT_NONE,
     "check the AccessKey secret and the clock"},
    {"MissingAccessKey", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingSignature", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingSecurityToken", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingAuthorization", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingTimeStamp", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingDate", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"MissingNonce", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"InvalidTimeStamp.Format", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"InvalidTimeStamp", ERR_AUTHENTICATION, RETRY_HINT_DATE_REFUSED, NULL},
    {"InvalidSecurityToken", ERR_AUTHENTICATION, RETRY_HINT_TOKEN_REFUSED,
     "the security token is expired or does not fit the AccessKey"},
    {"AuthenticationFail", ERR_AUTHENTICATION, RETRY_HINT_NONE, NULL},
    {"Forbidden", ERR_PERMISSION, RETRY_HINT_NONE, NULL},
    {"NoPermission", ERR_PERMISSION, RETRY_HINT_NONE, NULL},
};

/*
 * Words that give away a quotation of the signed request, whatever the code; in lower case,
 * letters and digits alone.
 */
static const char *const signing_words[] = {"signature", "stringtosign", "canonical", "hmac"};

/* The members that carry each part, the gateway's before the envelope's. */
static const char *const code_keys[] = {"Code", "code", "errorCode"};
static const char *const message_keys[] = {"Message", "message", "errorMessage"};
static const char *const request_id_keys[] = {"RequestId", "requestId", "requestid"};

static const struct rule *find_rule(const char *code)
{
    /* The vendor's own SDK tests for this substring: Throttling.User, Rejected.Throttling, ... */
    static const struct rule throttled = {"", ERR_THROTTLED, RETRY_HINT_NONE, NULL};

    if (strcasestr(code, "Throttling"))
        return &throttled;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncasecmp(code, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return &rules[i];
    }
    return NULL;
}

/* One clean line: white space and control bytes as single blanks, none around; U+FFFD; cut. */
static void put_line(char *dst, size_t size, const char *s, size_t len)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t n = 0;

    while (len > 0) {
        size_t step = utf8_sequence_len(s, len);
        const char *from = step ? s : replacement;
        size_t from_len = step ? step : sizeof(replacement) - 1;
        bool blank = step == 1 && ((unsigned char)*s <= ' ' || *s == 0x7f);

        if (blank) {
            from = " ";
            from_len = n > 0 && dst[n - 1] != ' ' ? 1 : 0;
        }
        if (from_len >= size - n)
            break;
        memcpy(dst + n, from, from_len);
        n += from_len;
        s += step ? step : 1;
        len -= step ? step : 1;
    }
    if (n > 0 && dst[n - 1] == ' ')
        n--;
    dst[n] = '\0';
}

/* Pages of the vendor show an absent text as one of two quote characters. */
static bool says_nothing(const char *s, size_t len)
{
    return len == 0 || (len == 2 && memcmp(s, "\"\"", 2) == 0);
}

static void put_text(char *dst, size_t size, const char *s)
{
    size_t len = strlen(s);

    if (!says_nothing(s, len))
        put_line(dst, size, s, len);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alphanumeric(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* Whatever stands between the letters is passed over: "string\nto sign", "String-To-Sign". */
static bool starts_with_word(const char *s, const char *word)
{
    for (; *s && *word; s++) {
        if (!is_alphanumeric(*s))
            continue;
        if (lower(*s) != *word)
            return false;
        word++;
    }
    return !*word;
}

static bool quotes_signature(const char *message)
{
    for (const char *s = message; *s; s++) {
        for (size_t i = 0; i < ARRAY_LEN(signing_words); i++) {
            if (lower(*s) == signing_words[i][0] && starts_with_word(s, signing_words[i]))
                return true;
        }
    }
    return false;
}

/* Looks at the whole message before it is cut: what gives it away may stand at its end. */
static void put_message(struct api_refusal *refusal, const char *s)
{
    if (quotes_signature(s))
        s = "(message left out: it quotes the signed request)";
    put_text(refusal->message, sizeof(refusal->message), s);
}

/* The text of the first of the members that has one, NULL if none has. */
static const char *find_text(const json_value *object, const char *const *keys, size_t n_keys)
{
    for (size_t i = 0; i < n_keys; i++) {
        const char *s = json_string(json_get(object, keys[i]));

        if (s && !says_nothing(s, strlen(s)))
            return s;
    }
    return NULL;
}

/* Business codes are digits in a string (990301); a number does as well. */
static void put_number(char *dst, size_t size, const json_value *v)
{
    int64_t number;

    if (json_integer(v, &number) == 0)
        (void)snprintf(dst, size, "%" PRId64, number);
}

static void read_object(struct api_refusal *refusal, const json_value *object)
{
    const char *code = find_text(object, code_keys, ARRAY_LEN(code_keys));
    const char *message = find_text(object, message_keys, ARRAY_LEN(message_keys));
    const char *request_id = find_text(object, request_id_keys, ARRAY_LEN(request_id_keys));

    if (code)
        put_text(refusal->code, sizeof(refusal->code), code);
    else
        put_number(refusal->code, sizeof(refusal->code), json_get(object, "errorCode"));
    if (message)
        put_message(refusal, message);
    if (request_id)
        put_text(refusal->request_id, sizeof(refusal->request_id), request_id);
}

static void read_json(struct api_refusal *refusal, const char *body, size_t len)
{
    CLEANUP(json_free_secretp) json_value *root = NULL;

    /*
     * Unreadable or out of memory: the status has to do. Wiped, for some servers quote what they
     * were sent.
     */
    if (json_parse_secret(body, len, JSON_BUDGET, &root, NULL) == 0)
        read_object(refusal, root);
}

/* Replaces the five predefined entities; anything else stays as it is. Returns the new length. */
static size_t decode_entities(char *s, size_t len)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        size_t step = 1;
        char c = s[i];

        for (size_t k = 0; c == '&' && step == 1 && k < ARRAY_LEN(entities); k++) {
            size_t name_len = strlen(entities[k].name);
            if (len - i >= name_len && memcmp(s + i, entities[k].name, name_len) == 0) {
                s[n] = entities[k].c;
                step = name_len;
            }
        }
        if (step == 1)
            s[n] = c;
        n++;
        i += step;
    }
    return n;
}

/* What stands between <tag> and </tag>, decoded; "" if nothing does or memory is out. */
static const char *element(struct strbuf *text, const char *xml, size_t len, const char *open,
                           const char *close)
{
    strbuf_reset(text);
    const char *start = memmem(xml, len, open, strlen(open));
    if (!start)
        return "";
    start += strlen(open);
    const char *end = memmem(start, len - (size_t)(start - xml), close, strlen(close));
    if (!end || end == start)
        return "";
    strbuf_add(text, start, (size_t)(end - start));
    if (!strbuf_ok(text))
        return "";
    text->len = decode_entities(text->ptr, text->len);
    text->ptr[text->len] = '\0';
    return text->ptr;
}

/*
 * <Error><Code>..</Code><Message>..</Message><RequestId>..</RequestId></Error>, found by looking
 * for its tags: no XML parser for one document that the gateway sends to old clients only. HTML
 * has no <Error>.
 */
static void read_xml(struct api_refusal *refusal, const char *body, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    const char *xml = memmem(body, len, "<Error>", strlen("<Error>"));
    if (!xml)
        return;
    len -= (size_t)(xml - body);
    put_text(refusal->code, sizeof(refusal->code), element(&text, xml, len, "<Code>", "</Code>"));
    put_message(refusal, element(&text, xml, len, "<Message>", "</Message>"));
    put_text(refusal->request_id, sizeof(refusal->request_id),
             element(&text, xml, len, "<RequestId>", "</RequestId>"));
}

/* What the code is known for; the server's message gives way to ours where there is one. */
static const struct rule *apply_rule(struct api_refusal *refusal)
{
    const struct rule *rule = find_rule(refusal->code);

    if (!rule)
        return NULL;
    refusal->hint = rule->hint;
    if (rule->advice)
        put_text(refusal->message, sizeof(refusal->message), rule->advice);
    return rule;
}

/* "HTTP 403, Forbidden.RAM: message (RequestId X)"; what is absent is left out. */
static int set_err(struct err *err, enum err_kind kind, int status, const char *what,
                   const struct api_refusal *refusal)
{
    const char *id = refusal->request_id;
    const char *message = refusal->message;

    return err_set(err, kind, "HTTP %d%s%s%s%s%s%s%s", status, *what ? ", " : "", what,
                   *message ? ": " : "", message, *id ? " (RequestId " : "", id, *id ? ")" : "");
}

bool refusal_is_not_found(const struct api_refusal *refusal)
{
    return strcmp(refusal->code, "990301") == 0;
}

int refusal_of_reply(const char *reply, size_t len, struct api_refusal *refusal, struct err *err)
{
    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    read_json(refusal, reply, len);

    const struct rule *rule = apply_rule(refusal);
    return set_err(err, rule ? rule->kind : ERR_API, 200,
                   *refusal->code ? refusal->code : "success is not true", refusal);
}

/* The kind of a refusal whose code, if it has one, is none of the known. */
static enum err_kind kind_of_status(int status, bool has_code)
{
    if (status == 401)
        return ERR_AUTHENTICATION;
    if (status == 403)
        return ERR_PERMISSION;
    if (status == 429)
        return ERR_THROTTLED;
    return has_code && status >= 400 && status < 500 ? ERR_API : ERR_HTTP;
}

int refusal_decode(int status, const char *body, size_t len, const char *header_request_id,
                   struct api_refusal *refusal, struct err *err)
{
    size_t start = 0;

    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    while (start < len && (unsigned char)body[start] <= ' ')
        start++;
    if (len > start && len <= BODY_MAX) {
        if (body[start] == '{')
            read_json(refusal, body + start, len - start);
        else if (body[start] == '<')
            read_xml(refusal, body + start, len - start);
    }
    if (!*refusal->request_id && header_request_id)
        put_text(refusal->request_id, sizeof(refusal->request_id), header_request_id);

    const struct rule *rule = apply_rule(refusal);
    if (rule)
        return set_err(err, rule->kind, status, refusal->code, refusal);
    if (status >= 300 && status < 400)
        return set_err(err, ERR_HTTP, status, "a redirect to another address is not followed",
                       refusal);
    return set_err(err, kind_of_status(status, *refusal->code), status, refusal->code, refusal);
}
