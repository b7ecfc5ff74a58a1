#include "page_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const all[] = {"*"};
const struct glob_list all_labels = {all, 1};

void reply_release(struct reply *r)
{
    arena_free(r->arena);
}

int read_page(const char *body, size_t len, size_t piece, const struct page_options *options,
              struct arena *arena, struct page *page, struct api_refusal *refusal, struct err *err)
{
    CLEANUP(page_reader_release) struct page_reader r = {0};

    if (page_reader_begin(&r, options, arena, err) < 0)
        return -1;
    for (size_t at = 0; at < len; at += piece)
        if (page_reader_write(&r, body + at, len - at < piece ? len - at : piece, err) < 0)
            return -1;
    return page_reader_finish(&r, page, refusal, err);
}

/* In pieces of another size each time: none of them may matter. */
struct reply decode_with(const char *body, size_t len, const struct page_options *options)
{
    static const size_t pieces[] = {1, 7, 64, 1000, 16384, SIZE_MAX / 2};
    static size_t turn;
    struct reply r = {.arena = arena_new()};

    assert_non_null(r.arena);
    r.rc = read_page(body, len, pieces[turn++ % ARRAY_LEN(pieces)], options, r.arena, &r.page,
                     &r.refusal, &r.err);
    assert_int_equal(r.rc, r.err.kind == ERR_NONE ? 0 : -1);
    return r;
}

struct reply decode(const char *body)
{
    struct page_options options = {
        .kind = &page_of_deployments, .labels = &all_labels, .page_size = 100, .max_items = 1000};

    return decode_with(body, strlen(body), &options);
}

/* A page of one deployment with these members behind its id; it must survive. */
struct reply decode_members(const char *members)
{
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

    strbuf_addf(&body, "{\"success\":true,\"data\":[{\"deploymentId\":\"d\"%s%s}]}",
                *members ? "," : "", members);
    struct reply r = decode(strbuf_str(&body));
    if (r.rc < 0 || r.page.n_items != 1)
        fail_msg("%s: %s", members, r.err.msg);
    return r;
}
