#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apply.h"
#include "faults.h"

static struct fault parse(const char *spec)
{
    struct fault f;
    struct err err = {0};
    if (fault_parse(spec, &f, &err) < 0)
        fail_msg("%s: %s", spec, err.msg);
    return f;
}

static void test_every_kind_parses(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < FAULT_KIND_END; kind++) {
        const char *name = fault_kind_name((enum fault_kind)kind);
        char spec[64];
        const char *needs = kind == FAULT_REDIRECT     ? ":to=http://127.0.0.1:1/"
                            : kind == FAULT_TOTAL_SIZE ? ":missing"
                                                       : "";
        snprintf(spec, sizeof(spec), "%s%s", name, needs);
        assert_int_equal(parse(spec).kind, kind);
        assert_non_null(strstr(fault_help, name));
    }
}

static void test_keys(void **state)
{
    (void)state;
    struct fault f =
        parse("status:code=429,retry_after=7,error=Throttling.Api,page=2,count=3,after=1,"
              "rate=0.5,namespace=x,operation=ListDeployments");
    assert_int_equal(f.code, 429);
    assert_int_equal(f.retry_after_s, 7);
    assert_string_equal(f.error, "Throttling.Api");
    assert_int_equal(f.page, 2);
    assert_int_equal(f.count, 3);
    assert_int_equal(f.after, 1);
    assert_true(f.rate > 0.49 && f.rate < 0.51);
    assert_string_equal(f.ns, "x");
    assert_int_equal(parse("throttle:ms=7000,code=400").ms, 7000);
    assert_string_equal(parse("business:code=990301").error, "990301");
    assert_string_equal(parse("truncate:mode=eof,bytes=10").mode, "eof");
    assert_string_equal(parse("truncate:bytes=10").mode, "length");
    assert_int_equal(parse("huge:size=2MiB").size, 2 << 20);
    assert_int_equal(parse("total-size:delta=-5").delta, -5);
    assert_string_equal(parse("total-size:missing").mode, "missing");
    assert_string_equal(parse("redirect:to=http://h:1/p?a=b,code=302").to, "http://h:1/p?a=b");
    assert_int_equal(parse("status").code, 503);
}

static void test_bad_texts(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",
        "nothing",
        "stat",
        "status:code",
        "status:code=",
        "status:code=x",
        "status:code=99",
        "status:ms=5",
        "status:rate=2",
        "status:rate=x",
        "status:page=-1",
        "truncate:mode=sideways",
        "redirect",
        "total-size",
        "huge:size=big",
        "drip:bytes=0",
        "endless:forever",
        "hang:seconds=-1",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fault f;
        struct err err = {0};
        if (fault_parse(bad[i], &f, &err) == 0)
            fail_msg("'%s' was accepted", bad[i]);
        assert_true(err.msg[0]);
    }
}

/* Which of ten requests for pages 1..10 are struck: "..x......." */
static void strikes(const char *spec, const char *want)
{
    struct fault_set *s = fault_set_new(1);
    struct fault f = parse(spec);
    struct err err;
    char got[11] = {0};
    assert_int_equal(fault_set_replace(s, &f, 1, &err), 0);
    for (int page = 1; page <= 10; page++) {
        struct fault_effects e;
        fault_set_match(s, &(struct fault_request){"ListDeployments", "ns", "FAILED", page}, &e);
        got[page - 1] = e.replaces_reply || e.shift || e.endless ? 'x' : '.';
    }
    assert_string_equal(got, want);
    fault_set_free(s);
}

static void test_matching(void **state)
{
    (void)state;
    strikes("status", "xxxxxxxxxx");
    strikes("status:page=3", "..x.......");
    strikes("status:count=2", "xx........");
    strikes("status:after=8", "........xx");
    strikes("status:after=2,count=3", "..xxx.....");
    strikes("status:rate=0", "..........");
    strikes("status:rate=1", "xxxxxxxxxx");
    strikes("status:namespace=ns,count=1", "x.........");
    strikes("status:namespace=other", "..........");
    strikes("status:operation=ListDeployments,page=2", ".x........");
    strikes("status:operation=GetDeployment", "..........");
    strikes("status:status=FAILED,page=2", ".x........");
    strikes("status:status=CANCELLED", "..........");
    strikes("shift", ".xxxxxxxxx");
    strikes("endless", "xxxxxxxxxx");
}

static void test_first_reply_wins_and_listings_add_up(void **state)
{
    (void)state;
    struct fault_set *s = fault_set_new(1);
    const struct fault faults[] = {parse("html:count=1"), parse("empty"), parse("invalid-utf8"),
                                   parse("total-size:value=9")};
    struct err err;
    struct fault_effects e;
    assert_int_equal(fault_set_replace(s, faults, 4, &err), 0);
    fault_set_match(s, &(struct fault_request){"ListDeployments", "ns", "FAILED", 1}, &e);
    assert_int_equal(e.reply.kind, FAULT_HTML);
    assert_true(e.invalid_utf8 && e.total_size && e.total.value == 9 && !e.endless);
    fault_set_match(s, &(struct fault_request){"ListDeployments", "ns", "FAILED", 1}, &e);
    assert_int_equal(e.reply.kind, FAULT_EMPTY);
    struct strbuf b = STRBUF_INIT;
    fault_set_render(s, &b);
    assert_non_null(
        strstr(strbuf_str(&b), "{\"spec\":\"html:count=1\",\"matched\":2,\"applied\":1}"));
    strbuf_release(&b);
    assert_int_equal(fault_set_replace(s, NULL, 0, &err), 0);
    fault_set_match(s, &(struct fault_request){"ListDeployments", "ns", "FAILED", 1}, &e);
    assert_false(e.replaces_reply);
    fault_set_free(s);
}

static struct reply applied(const char *spec)
{
    struct fault f = parse(spec);
    struct reply r = {.status = 200, .content_type = "application/json;charset=utf-8"};
    strbuf_adds(&r.body, "{\"data\":[]}");
    apply_fault(&f, "host", &r);
    assert_true(strbuf_ok(&r.body));
    assert_string_equal(r.fault, fault_kind_name(f.kind));
    return r;
}

static void test_replies(void **state)
{
    (void)state;
    const struct {
        const char *spec;
        int status;
        const char *holds;
    } cases[] = {
        {"status:code=500", 500, "\"Code\":\"InternalError\""},
        {"status:code=404,error=InvalidAccessKeyId.NotFound", 404, "InvalidAccessKeyId.NotFound"},
        {"throttle", 429, "Throttling.User"},
        {"throttle:code=400", 400, "Throttling.User"},
        {"business", 200, "\"success\":false"},
        {"business:no-success", 200, "\"data\":[]"},
        {"business:null-data", 200, "\"data\":null"},
        {"html", 502, "<html>"},
        {"xml", 503, "<Code>ServiceUnavailable</Code>"},
        {"deep:depth=3", 200, "\"data\":[[[]]]"},
        {"malformed", 200, "{\"dat\x01"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reply r = applied(cases[i].spec);
        assert_int_equal(r.status, cases[i].status);
        if (!strstr(strbuf_str(&r.body), cases[i].holds))
            fail_msg("%s: %s", cases[i].spec, strbuf_str(&r.body));
        reply_release(&r);
    }
}

static void test_headers_and_wire(void **state)
{
    (void)state;
    struct reply r = applied("throttle:ms=7000");
    assert_string_equal(r.headers[0].name, "x-acs-retry-after");
    assert_string_equal(r.headers[0].value, "7000");
    reply_release(&r);
    r = applied("throttle:ms=0");
    assert_int_equal(r.n_headers, 0);
    reply_release(&r);
    r = applied("status:retry_after=7");
    assert_string_equal(r.headers[0].name, "Retry-After");
    reply_release(&r);
    r = applied("redirect:to=http://127.0.0.1:1/x");
    assert_int_equal(r.status, 307);
    assert_string_equal(r.headers[0].value, "http://127.0.0.1:1/x");
    assert_int_equal(r.body.len, 0);
    reply_release(&r);
    r = applied("truncate:bytes=1000");
    assert_int_equal(r.wire.bytes, strlen("{\"data\":[]}"));
    assert_int_equal(r.wire.kind, WIRE_CUT_LENGTH);
    reply_release(&r);
    r = applied("reset");
    assert_int_equal(r.wire.bytes, 5);
    reply_release(&r);
    r = applied("hang:seconds=2,mode=reply");
    assert_int_equal(r.delay_ms, 2000);
    assert_int_equal(r.wire.kind, WIRE_NONE);
    reply_release(&r);
    r = applied("gzip-bomb:size=3MiB");
    assert_true(r.gzip);
    assert_in_range(r.body.len, 1000, 100000);
    reply_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_parses),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_first_reply_wins_and_listings_add_up),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_headers_and_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
