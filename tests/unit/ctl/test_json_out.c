#include "json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_all_kinds(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    CLEANUP(json_freep) json_value *v = NULL;
    struct json_out o = {.out = &out};
    struct err err = {0};

    (void)state;
    assert_int_equal(json_parse("[1,{\"b\":2}]", 11, 10000, &v, &err), 0);
    json_out_open(&o, NULL, '{');
    json_out_string(&o, "s", "a\"b\x1b\n");
    json_out_string(&o, "empty", "");
    json_out_string(&o, "none", NULL);
    json_out_text(&o, "text", "");
    json_out_integer(&o, "i", -1234567890123);
    json_out_bool(&o, "yes", true);
    json_out_null(&o, "null");
    json_out_value(&o, "v", v);
    json_out_value(&o, "no v", NULL);
    json_out_time(&o, "t", 1714058507);
    json_out_time(&o, "no t", 0);
    json_out_open(&o, "list", '[');
    json_out_open(&o, NULL, '{');
    json_out_close(&o, '}');
    json_out_text(&o, NULL, "x");
    json_out_close(&o, ']');
    json_out_open(&o, "empty list", '[');
    json_out_close(&o, ']');
    json_out_close(&o, '}');
    assert_string_equal(strbuf_str(&out), "{\n"
                                          "  \"s\": \"a\\\"b\\u001b\\n\",\n"
                                          "  \"empty\": null,\n"
                                          "  \"none\": null,\n"
                                          "  \"text\": \"\",\n"
                                          "  \"i\": -1234567890123,\n"
                                          "  \"yes\": true,\n"
                                          "  \"null\": null,\n"
                                          "  \"v\": [1,{\"b\":2}],\n"
                                          "  \"no v\": null,\n"
                                          "  \"t\": \"2024-04-25T15:21:47Z\",\n"
                                          "  \"no t\": null,\n"
                                          "  \"list\": [\n"
                                          "    {},\n"
                                          "    \"x\"\n"
                                          "  ],\n"
                                          "  \"empty list\": []\n"
                                          "}\n");
    json_free(v);
    v = NULL;
    assert_int_equal(json_parse_exact(out.ptr, out.len, 100000, &v, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_kinds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
