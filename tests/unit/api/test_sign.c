/* Every vector of fixtures/sign step by step (its README says how they look), then the edges. */
#include "sign.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"

#define FIXTURES     AFE_FIXTURES "/sign"
#define VECTORS      24 /* folders; a new case changes it, see the README */
#define ITEMS_MAX    32
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A whole file less its last newline; fails the test if it is missing. */
static char *file_read(const char *folder, const char *name, size_t *ret_len)
{
    char path[512];
    size_t size = 1 << 20;
    char *text = malloc(size);

    assert_true((size_t)snprintf(path, sizeof(path), FIXTURES "/%s/%s", folder, name) <
                sizeof(path));
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s is missing", path);
    assert_non_null(text);
    size_t len = fread(text, 1, size - 1, f);
    assert_true(feof(f) && !ferror(f));
    fclose(f);
    if (len == 0 || text[len - 1] != '\n')
        fail_msg("%s does not end with a newline", path);
    text[len - 1] = '\0';
    *ret_len = len - 1;
    return text;
}

struct vector {
    char *text; /* what the rest points into */
    struct sign_request request;
    struct sign_header headers[ITEMS_MAX];
    struct sign_param params[ITEMS_MAX];
    size_t n_params;
    const char *access_key_id;
    const char *access_key_secret;
};

/* Cuts s in two at the separator and returns the second half. */
static char *cut(char *s, const char *separator)
{
    char *at = strstr(s, separator);

    assert_non_null(at);
    *at = '\0';
    return at + strlen(separator);
}

static void vector_item(struct vector *v, const char *word, char *value)
{
    if (strcmp(word, "method") == 0) {
        v->request.method = value;
    } else if (strcmp(word, "path") == 0) {
        v->request.path = value;
    } else if (strcmp(word, "access-key-id") == 0) {
        v->access_key_id = value;
    } else if (strcmp(word, "access-key-secret") == 0) {
        v->access_key_secret = value;
    } else if (strcmp(word, "param") == 0) {
        assert_true(v->n_params < ITEMS_MAX);
        char *second = cut(value, "=");
        v->params[v->n_params++] = (struct sign_param){value, second};
    } else if (strcmp(word, "signed") == 0) {
        assert_true(v->request.n_headers < ITEMS_MAX);
        char *second = cut(value, ": ");
        v->headers[v->request.n_headers++] = (struct sign_header){value, second};
    } else if (strcmp(word, "unsigned") != 0 && strcmp(word, "#") != 0) {
        fail_msg("unknown item %s", word);
    }
}

static void vector_load(const char *folder, struct vector *v)
{
    size_t len;
    char *line;

    *v = (struct vector){.text = file_read(folder, "request.txt", &len)};
    line = v->text;
    v->request.headers = v->headers;
    for (;;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        char *value = cut(line, " ");
        if (strcmp(line, "body") == 0) {
            v->request.body_len = (size_t)strtoul(value, NULL, 10);
            v->request.body = end ? end + 1 : NULL;
            assert_int_equal(v->request.body_len, end ? len - (size_t)(end + 1 - v->text) : 0);
            break;
        }
        assert_non_null(end); /* body comes last */
        vector_item(v, line, value);
        line = end + 1;
    }
    assert_non_null(v->request.method);
    assert_non_null(v->request.path);
    assert_non_null(v->access_key_id);
    assert_non_null(v->access_key_secret);
}

static unsigned hex_digit(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    assert_non_null(at);
    return (unsigned)(at - digits);
}

/* The path decoded and encoded again, segment by segment. */
static void path_again(const char *path, struct strbuf *out)
{
    char segment[256];
    size_t n = 0;

    for (const char *p = path;; p++) {
        if (*p == '/' || *p == '\0') {
            segment[n] = '\0';
            sign_encode(out, segment);
            if (*p == '\0')
                break;
            strbuf_addc(out, '/');
            n = 0;
        } else {
            assert_true(n < sizeof(segment) - 1);
            if (*p == '%') {
                segment[n++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
                p += 2;
            } else {
                segment[n++] = *p;
            }
        }
    }
}

/* Line number `index` from 0 of a text that holds at least so many. */
static char *line_of(const char *text, size_t index)
{
    const char *end;

    while (index-- > 0) {
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    end = strchrnul(text, '\n');
    return strndup(text, (size_t)(end - text));
}

static void check_line(const char *canonical, size_t index, const struct strbuf *made)
{
    char *expected = line_of(canonical, index);

    assert_true(strbuf_ok(made));
    assert_string_equal(strbuf_str(made), expected);
    free(expected);
}

static void check_parts(struct vector *v, const char *canonical)
{
    struct strbuf path = STRBUF_INIT;
    struct strbuf query = STRBUF_INIT;
    struct strbuf names = STRBUF_INIT;
    struct strbuf hash = STRBUF_INIT;
    char hex[SIGN_HEX_LEN];
    struct err err = {0};
    size_t n = v->request.n_headers;

    path_again(v->request.path, &path);
    check_line(canonical, 1, &path);

    assert_int_equal(sign_canonical_query(&query, v->params, v->n_params, &err), 0);
    check_line(canonical, 2, &query);

    /* Three lines, n headers, an empty line. */
    assert_int_equal(sign_signed_headers(&v->request, &names, &err), 0);
    check_line(canonical, 3 + n + 1, &names);

    assert_int_equal(sign_sha256_hex(v->request.body, v->request.body_len, hex, &err), 0);
    strbuf_adds(&hash, hex);
    check_line(canonical, 3 + n + 2, &hash);

    strbuf_release(&path);
    strbuf_release(&query);
    strbuf_release(&names);
    strbuf_release(&hash);
}

/* Each step from the expected result of the one before it, so that one fault shows once. */
static void check_steps(const struct vector *v, const char *folder, const char *canonical,
                        size_t canonical_len)
{
    size_t to_sign_len;
    size_t signed_len;
    char *to_sign = file_read(folder, "string-to-sign.txt", &to_sign_len);
    char *signed_text = file_read(folder, "signed.txt", &signed_len);
    char *authorization = cut(signed_text, "\n");
    struct strbuf out = STRBUF_INIT;
    char signature[SIGN_HEX_LEN];
    char hash[SIGN_HEX_LEN];
    struct err err = {0};

    assert_int_equal(sign_canonical_request(&v->request, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), canonical);
    assert_int_equal(out.len, canonical_len);

    strbuf_reset(&out);
    assert_int_equal(sign_string_to_sign(canonical, canonical_len, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), to_sign);

    assert_int_equal(sign_signature(to_sign, to_sign_len, v->access_key_secret, signature, &err),
                     0);
    assert_string_equal(signature, signed_text);

    strbuf_reset(&out);
    assert_int_equal(
        sign_authorization(&v->request, v->access_key_id, v->access_key_secret, &out, hash, &err),
        0);
    assert_string_equal(strbuf_str(&out), authorization);
    assert_string_equal(hash, strchr(to_sign, '\n') + 1);

    strbuf_release(&out);
    free(to_sign);
    free(signed_text);
}

static void check_vector(const char *folder)
{
    struct vector v;
    struct strbuf query = STRBUF_INIT;
    struct err err = {0};
    size_t canonical_len;
    char *canonical = file_read(folder, "canonical.txt", &canonical_len);

    vector_load(folder, &v);
    assert_int_equal(sign_canonical_query(&query, v.params, v.n_params, &err), 0);
    v.request.query = strbuf_str(&query);
    check_parts(&v, canonical);
    check_steps(&v, folder, canonical, canonical_len);
    strbuf_release(&query);
    free(canonical);
    free(v.text);
}

static void all_vectors(void **state)
{
    (void)state;
    DIR *dir = opendir(FIXTURES);
    size_t walked = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
            continue;
        print_message("  %s\n", entry->d_name);
        check_vector(entry->d_name);
        walked++;
    }
    closedir(dir);
    assert_int_equal(walked, VECTORS);
}

static void encodes_every_byte(void **state)
{
    (void)state;
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (unsigned c = 1; c < 256; c++) {
        struct strbuf out = STRBUF_INIT;
        char text[2] = {(char)c, '\0'};
        char expected[4];
        if (strchr(unreserved, (int)c))
            snprintf(expected, sizeof(expected), "%c", (int)c);
        else
            snprintf(expected, sizeof(expected), "%%%02X", c);
        sign_encode(&out, text);
        assert_string_equal(strbuf_str(&out), expected);
        strbuf_release(&out);
    }
}

static void query_order_and_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sign_param params[4];
        size_t n;
        const char *expected;
    } cases[] = {
        {"none", {{0}}, 0, ""},
        {"empty value", {{"creator", ""}}, 1, "creator="},
        {"upper before underscore before lower",
         {{"b", "1"}, {"_", "2"}, {"B", "3"}, {"a", "4"}},
         4,
         "B=3&_=2&a=4&b=1"},
        {"a key before its longer sister, though = sorts behind - and .",
         {{"a.b", "1"}, {"a-b", "2"}, {"a", "3"}},
         3,
         "a=3&a-b=2&a.b=1"},
        {"keys are encoded too, and sorted encoded",
         {{"a b", "1"}, {"a", "2"}, {"a&b", "3"}},
         3,
         "a=2&a%20b=1&a%26b=3"},
        {"equal pairs stay",
         {{"k", "a"}, {"k", "ab"}, {"k", "a"}, {"k", "ab"}},
         4,
         "k=a&k=a&k=ab&k=ab"},
        {"equal keys by value", {{"k", "b"}, {"k", ""}, {"k", "a"}}, 3, "k=&k=a&k=b"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = STRBUF_INIT;
        struct err err = {0};
        print_message("  %s\n", cases[i].name);
        assert_int_equal(sign_canonical_query(&out, cases[i].params, cases[i].n, &err), 0);
        assert_string_equal(strbuf_str(&out), cases[i].expected);
        strbuf_release(&out);
    }
}

static struct sign_request plain_request(const struct sign_header *headers, size_t n)
{
    return (struct sign_request){
        .method = "GET",
        .path = "",
        .query = "",
        .headers = headers,
        .n_headers = n,
    };
}

static void headers_are_sorted_and_trimmed(void **state)
{
    (void)state;
    static const struct sign_header headers[] = {
        {"x-b", "\t two  words \t"}, {"host", "h:8443"}, {"x-a", ""}, {"workspace", "w"}};
    struct sign_request request = plain_request(headers, ARRAY_LEN(headers));
    struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    assert_int_equal(sign_canonical_request(&request, &out, &err), 0);
    assert_string_equal(strbuf_str(&out),
                        "GET\n/\n\nhost:h:8443\nworkspace:w\nx-a:\nx-b:two  words\n\n"
                        "host;workspace;x-a;x-b\n" EMPTY_SHA256);
    strbuf_release(&out);
}

static void refuses_bad_headers(void **state)
{
    (void)state;
    static const struct {
        struct sign_header header;
        const char *message;
    } cases[] = {
        {{"", "v"}, "without a name"},
        {{"Host", "v"}, "lower case"},
        {{"a:b", "v"}, "lower case"},
        {{"a\nb", "v"}, "lower case"},
        {{"x-acs-security-token", "VALUE\r\nx: y"}, "header x-acs-security-token holds a control"},
        {{"workspace", "VALUE\ny:z"}, "header workspace holds a control"},
        {{"workspace", "VALUE\x7f"}, "header workspace holds a control"},
        {{"host", "VALUE"}, "header host given twice"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sign_header headers[] = {{"host", "h"}, cases[i].header};
        struct sign_request request = plain_request(headers, ARRAY_LEN(headers));
        struct strbuf out = STRBUF_INIT;
        struct err err = {0};
        assert_int_equal(sign_canonical_request(&request, &out, &err), -1);
        assert_int_equal(err.kind, ERR_INTERNAL);
        assert_non_null(strstr(err.msg, cases[i].message));
        assert_null(strstr(err.msg, "VALUE"));
        assert_int_equal(sign_signed_headers(&request, &out, &err), -1);
        assert_int_equal(sign_authorization(&request, "id", "secret", &out, NULL, &err), -1);
        strbuf_release(&out);
    }
}

static void refuses_too_many_headers(void **state)
{
    (void)state;
    static char names[SIGN_MAX_HEADERS + 1][8];
    struct sign_header headers[SIGN_MAX_HEADERS + 1];
    struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        snprintf(names[i], sizeof(names[i]), "h%02zu", ARRAY_LEN(headers) - i);
        headers[i] = (struct sign_header){names[i], "v"};
    }
    struct sign_request request = plain_request(headers, SIGN_MAX_HEADERS);
    assert_int_equal(sign_signed_headers(&request, &out, &err), 0);
    assert_int_equal(strncmp(out.ptr, "h02;h03;", 8), 0); /* came in falling order */
    request.n_headers++;
    assert_int_equal(sign_signed_headers(&request, &out, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    strbuf_release(&out);
}

static void refuses_bad_access_key_id(void **state)
{
    (void)state;
    static const char *const ids[] = {"a b", "a,b", "a\nb", "a\r\nx: y", "a\x7f"};
    struct sign_request request = plain_request(NULL, 0);

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct strbuf out = STRBUF_INIT;
        struct err err = {0};
        assert_int_equal(sign_authorization(&request, ids[i], "secret", &out, NULL, &err), -1);
        assert_int_equal(err.kind, ERR_AUTHENTICATION);
        strbuf_release(&out);
    }
}

/* RFC 4231, test cases 1 to 3 use bytes that are no C string; 2 is one. */
static void hmac_known_answer(void **state)
{
    (void)state;
    static const char text[] = "what do ya want for nothing?";
    char out[SIGN_HEX_LEN];
    struct err err = {0};

    assert_int_equal(sign_signature(text, strlen(text), "Jefe", out, &err), 0);
    assert_string_equal(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    /* An empty key is legal for HMAC; refusing it is the providers' business. */
    assert_int_equal(sign_signature("", 0, "", out, &err), 0);
    assert_string_equal(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_int_equal(sign_sha256_hex(NULL, 0, out, &err), 0);
    assert_string_equal(out, EMPTY_SHA256);
}

static void survives_no_memory(void **state)
{
    (void)state;
    static const struct sign_header headers[] = {{"host", "h"}, {"x-acs-security-token", "t"}};
    static const struct sign_param params[] = {{"b", "2"}, {"a", "1"}};
    struct sign_request request = plain_request(headers, ARRAY_LEN(headers));

    for (size_t n = 1;; n++) {
        struct strbuf query = STRBUF_INIT;
        struct strbuf out = STRBUF_INIT;
        struct err err = {0};
        alloc_fail_at(n);
        int r = sign_canonical_query(&query, params, ARRAY_LEN(params), &err);
        if (r == 0) {
            request.query = strbuf_str(&query);
            r = sign_authorization(&request, "id", "secret", &out, NULL, &err);
        }
        alloc_fail_off();
        strbuf_release(&query);
        strbuf_release(&out);
        if (alloc_fail_count() < n) {
            assert_int_equal(r, 0);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(r, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
    }
}

/* A buffer that grows leaves copies of the token behind; this one is made in its final size. */
static void canonical_request_does_not_grow(void **state)
{
    (void)state;
    static char token[2001];
    const struct sign_header headers[] = {{"host", "h"}, {"x-acs-security-token", token}};
    struct sign_request request = plain_request(headers, ARRAY_LEN(headers));
    struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    memset(token, 'x', sizeof(token) - 1);
    alloc_fail_at(SIZE_MAX);
    assert_int_equal(sign_canonical_request(&request, &out, &err), 0);
    alloc_fail_off();
    assert_int_equal(alloc_fail_count(), 1);
    strbuf_release(&out);
}

static void wipes(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;

    sign_wipe(&b);
    strbuf_adds(&b, "token");
    sign_wipe(&b);
    assert_null(b.ptr);
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors),
        cmocka_unit_test(encodes_every_byte),
        cmocka_unit_test(query_order_and_encoding),
        cmocka_unit_test(headers_are_sorted_and_trimmed),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_too_many_headers),
        cmocka_unit_test(refuses_bad_access_key_id),
        cmocka_unit_test(hmac_known_answer),
        cmocka_unit_test(survives_no_memory),
        cmocka_unit_test(canonical_request_does_not_grow),
        cmocka_unit_test(wipes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
