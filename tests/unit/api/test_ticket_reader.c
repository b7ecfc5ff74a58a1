#include "ticket_reader.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int read_text(const char *text, struct ticket_answer *ret, struct err *err)
{
    CLEANUP(json_freep) json_value *data = NULL;

    assert_int_equal(json_parse(text, strlen(text), 1 << 20, &data, NULL), 0);
    return ticket_read(data, arena, ret, err);
}

static struct ticket_answer read_good(const char *text)
{
    struct ticket_answer answer;
    struct err err = {0};

    if (read_text(text, &answer, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return answer;
}

static void test_how_a_ticket_stands(void **state)
{
    static const struct {
        const char *text;
        enum ticket_status status;
        int success;
        int validated;
        bool ended;
        enum ticket_failure failure;
    } cases[] = {
        {"{\"ticketStatus\":\"EXECUTING\"}", TICKET_EXECUTING, -1, -1, false, 0},
        {"{\"ticketStatus\":\"EXECUTING\",\"success\":false}", TICKET_EXECUTING, 0, -1, false, 0},
        {"{\"ticketStatus\":\"FINISHED\",\"success\":true}", TICKET_FINISHED, 1, 1, true,
         TICKET_FAILURE_END},
        {"{\"ticketStatus\":\"finished\",\"success\":true}", TICKET_FINISHED, 1, 1, true,
         TICKET_FAILURE_END},
        {"{\"ticketStatus\":\"FINISHED\",\"success\":false}", TICKET_FINISHED, 0, -1, true,
         TICKET_FAILURE_UNSUCCESSFUL},
        /* Never taken for a success because nobody said no. */
        {"{\"ticketStatus\":\"FINISHED\"}", TICKET_FINISHED, -1, -1, true,
         TICKET_FAILURE_UNSUCCESSFUL},
        {"{\"ticketStatus\":\"FINISHED\",\"success\":\"true\"}", TICKET_FINISHED, -1, -1, true,
         TICKET_FAILURE_UNSUCCESSFUL},
        {"{\"ticketStatus\":\"FAILED\",\"message\":\"m\"}", TICKET_FAILED, -1, -1, true,
         TICKET_FAILURE_FAILED},
        {"{\"ticketStatus\":\"FAILED\",\"success\":true}", TICKET_FAILED, 1, -1, true,
         TICKET_FAILURE_FAILED},
        {"{\"ticketStatus\":\"FINISHED\",\"success\":false,\"artifactValidationDetail\":"
         "{\"errorDetails\":{\"lineNumber\":\"3\",\"message\":\"no\"}}}",
         TICKET_FINISHED, 0, 0, true, TICKET_FAILURE_VALIDATION},
        {"{\"ticketStatus\":\"FAILED\",\"artifactValidationDetail\":"
         "{\"errorDetails\":[{\"message\":\"no\"}]}}",
         TICKET_FAILED, -1, 0, true, TICKET_FAILURE_VALIDATION},
        /* Details that say nothing are none. */
        {"{\"ticketStatus\":\"FINISHED\",\"success\":false,\"artifactValidationDetail\":"
         "{\"errorDetails\":{\"lineNumber\":\"\",\"message\":\"\\\"\\\"\"}}}",
         TICKET_FINISHED, 0, -1, true, TICKET_FAILURE_UNSUCCESSFUL},
        {"{\"ticketStatus\":\"PENDING\",\"success\":false}", TICKET_UNKNOWN, 0, -1, false, 0},
        {"{\"ticketStatus\":\"\"}", TICKET_UNKNOWN, -1, -1, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ticket_answer a = read_good(cases[i].text);

        if (a.status != cases[i].status || a.success != cases[i].success ||
            a.validated != cases[i].validated || ticket_answer_ended(&a) != cases[i].ended)
            fail_msg("%s: %d %d %d", cases[i].text, a.status, a.success, a.validated);
        if (cases[i].ended && ticket_answer_failure(&a) != cases[i].failure)
            fail_msg("%s: failure %d", cases[i].text, ticket_answer_failure(&a));
    }
}

/* The sample of the operation's page, with what makes it no JSON put right: it says both. */
static void test_page_sample(void **state)
{
    struct ticket_answer a = read_good(
        "{\"ticketStatus\":\"FINISHED\",\"artifactValidationDetail\":{"
        "\"validationResult\":\"\\\"there have some errors\\\"\\\"\","
        "\"errorDetails\":{\"lineNumber\":\"3\",\"columnNumber\":\"10\",\"endLineNumber\":\"4\","
        "\"endColumnNumber\":\"5\",\"message\":\"\\\"\\\"\"}},\"deploymentId\":\"CBC799F0\","
        "\"success\":true,\"message\":\"\\\"Validation error: SQL validate failed\\\"\"}");

    (void)state;
    assert_string_equal(a.status_text, "FINISHED");
    assert_string_equal(a.message, "Validation error: SQL validate failed");
    assert_string_equal(a.validation_result, "there have some errors");
    assert_string_equal(a.deployment_id, "CBC799F0");
    assert_int_equal(a.validated, 1);
    assert_int_equal(ticket_answer_failure(&a), TICKET_FAILURE_END);
    assert_int_equal(a.n_errors, 1);
    assert_int_equal(a.errors[0].line, 3);
    assert_int_equal(a.errors[0].column, 10);
    assert_int_equal(a.errors[0].end_line, 4);
    assert_int_equal(a.errors[0].end_column, 5);
    assert_string_equal(a.errors[0].message, "");
}

/* Those that stand around a text go, those that belong to it stay. */
static void test_quotes(void **state)
{
    static const struct {
        const char *text; /* as it stands in the JSON */
        const char *read;
    } cases[] = {
        {"text", "text"},
        {"\\\"text\\\"", "text"},
        {"\\\"text\\\"\\\"", "text"},
        {"\\\"\\\"", ""},
        {"\\\"\\\"\\\"\\\"", ""},
        {"\\\"", "\""},
        {"\\\"a\\\" is unknown", "\"a\" is unknown"},
        {"\\\"a\\\" is not in \\\"b\\\"", "\"a\" is not in \"b\""},
        {"\\\"a", "\"a"},
        {"unknown \\\"a\\\"", "unknown \"a\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];

        snprintf(text, sizeof(text), "{\"ticketStatus\":\"FAILED\",\"message\":\"%s\"}",
                 cases[i].text);
        struct ticket_answer a = read_good(text);
        assert_string_equal(a.message, cases[i].read);
    }
}

static void test_numbers_and_texts(void **state)
{
    struct ticket_answer a = read_good(
        "{\"ticketStatus\":\"FAILED\",\"message\":\"unknown table \\\"x\\\"\","
        "\"artifactValidationDetail\":{\"errorDetails\":["
        "{\"lineNumber\":7,\"columnNumber\":-1,\"message\":\"a\"},"
        "{\"lineNumber\":\"99999999999999999999\",\"columnNumber\":\"2x\",\"message\":\"b\"},"
        "\"no object\",{\"lineNumber\":null},{\"lineNumber\":1.5,\"message\":\"\xff\"}]}}");

    (void)state;
    assert_string_equal(a.message, "unknown table \"x\"");
    assert_int_equal(a.n_errors, 3);
    assert_int_equal(a.errors[0].line, 7);
    assert_int_equal(a.errors[0].column, 0);
    assert_int_equal(a.errors[1].line, 0);
    assert_int_equal(a.errors[1].column, 0);
    assert_int_equal(a.errors[2].line, 0);
    assert_string_equal(a.errors[2].message, "\xef\xbf\xbd");
}

static void test_bounds(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    strbuf_adds(&text, "{\"ticketStatus\":\"FAILED\",\"message\":\"");
    for (int i = 0; i < 100000; i++)
        strbuf_adds(&text, "\xe8\xae\xa2");
    strbuf_adds(&text, "\",\"artifactValidationDetail\":{\"errorDetails\":[{\"message\":\"x\"}");
    for (int i = 0; i < 500; i++)
        strbuf_adds(&text, ",{\"message\":\"x\"}");
    strbuf_adds(&text, "]}}");
    struct ticket_answer a = read_good(strbuf_str(&text));
    assert_int_equal(a.n_errors, 100);
    assert_true(strlen(a.message) > 8000 && strlen(a.message) < 8300);
}

static void test_no_answer(void **state)
{
    static const char *const texts[] = {"{}", "{\"ticketStatus\":null}", "{\"ticketStatus\":1}",
                                        "{\"success\":true}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ticket_answer a = {.n_errors = 77};
        struct err err = {0};

        assert_int_equal(read_text(texts[i], &a, &err), -1);
        assert_int_equal(err.kind, ERR_PARSE);
        assert_int_equal(a.n_errors, 77);
    }
}

static void test_without_memory(void **state)
{
    static const char text[] =
        "{\"ticketStatus\":\"FAILED\",\"message\":\"m\","
        "\"artifactValidationDetail\":{\"errorDetails\":{\"message\":\"x\"}}}";
    CLEANUP(json_freep) json_value *data = NULL;

    (void)state;
    assert_int_equal(json_parse(text, strlen(text), 1 << 20, &data, NULL), 0);
    for (size_t n = 1;; n++) {
        struct ticket_answer a;
        struct err err = {0};

        alloc_fail_at(n);
        struct arena *own = arena_new();
        int rc = own ? ticket_read(data, own, &a, &err) : -1;
        alloc_fail_off();
        arena_free(own);
        if (alloc_fail_count() < n)
            break;
        assert_int_equal(rc, -1);
        assert_true(!own || err.kind == ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_how_a_ticket_stands), TEST(test_page_sample), TEST(test_quotes),
        TEST(test_numbers_and_texts),   TEST(test_bounds),      TEST(test_no_answer),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
