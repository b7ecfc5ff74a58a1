/*
 * The page of the operation has a sample that is no JSON, contradicts itself and wraps texts in
 * quotes; nothing says which values ticketStatus has. So a status that is not known is unknown, not
 * an end; what a validation found counts as found only where it says something; and a ticket that
 * finished with success passed, whatever stands beside it.
 */
#include "ticket_reader.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/quantity.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 8 * 1024, /* bytes of a message; stack traces come longer */
    ERRORS_MAX = 100,
};

struct reader {
    struct arena *arena;
    bool nomem;
};

/*
 * '"text"', and '"text""', without the quotes that the API puts around it. A text that has more of
 * them ('"a" is not in "b"') may as well have written them itself.
 */
static void strip_quotes(const char **s, size_t *len)
{
    const char *begin = *s + 1;
    const char *end = *s + *len;

    if (*len < 2 || **s != '"' || end[-1] != '"')
        return;
    while (end > begin && end[-1] == '"')
        end--;
    if (memchr(begin, '"', (size_t)(end - begin)))
        return;
    *s = begin;
    *len = (size_t)(end - begin);
}

static const char *keep_text(struct reader *r, const json_value *v)
{
    CLEANUP(strbuf_release) struct strbuf clean = STRBUF_INIT;
    const char *s = json_string(v);
    size_t len = s ? strlen(s) : 0;

    if (len == 0)
        return "";
    strip_quotes(&s, &len);
    /* A character cut at the end is repaired like any other damage. */
    (void)utf8_append_repaired(&clean, s, len < TEXT_MAX ? len : TEXT_MAX);
    const char *kept = strbuf_ok(&clean) ? arena_strdup(r->arena, strbuf_str(&clean)) : NULL;
    if (!kept)
        r->nomem = true;
    return kept ? kept : "";
}

/* Line and column numbers are strings, and may one day be numbers. 0 = not told. */
static int64_t read_number(const json_value *v)
{
    const char *text = json_string(v);
    uint64_t from_text;
    int64_t n;

    if (text && quantity_parse_u64(text, &from_text) == 0 && from_text <= INT32_MAX)
        return (int64_t)from_text;
    return json_integer(v, &n) == 0 && n > 0 ? n : 0;
}

static bool read_error(struct reader *r, const json_value *v, struct ticket_error *ret)
{
    *ret = (struct ticket_error){
        .line = read_number(json_get(v, "lineNumber")),
        .column = read_number(json_get(v, "columnNumber")),
        .end_line = read_number(json_get(v, "endLineNumber")),
        .end_column = read_number(json_get(v, "endColumnNumber")),
        .message = keep_text(r, json_get(v, "message")),
    };
    return *ret->message || ret->line > 0;
}

/* One object, as the page has it, or a list of them. */
static void read_errors(struct reader *r, const json_value *details, struct ticket_answer *answer)
{
    const json_value *first = json_is_array(details) ? json_first(details) : details;
    struct ticket_error errors[ERRORS_MAX];
    size_t n = 0;

    for (const json_value *v = first; v && n < ERRORS_MAX;
         v = json_is_array(details) ? json_next(v) : NULL)
        if (json_is_object(v) && read_error(r, v, &errors[n]))
            n++;
    if (n == 0)
        return;
    struct ticket_error *kept = arena_calloc(r->arena, n, sizeof(*kept));
    if (!kept) {
        r->nomem = true;
        return;
    }
    memcpy(kept, errors, n * sizeof(*kept));
    answer->errors = kept;
    answer->n_errors = n;
}

static enum ticket_status status_of(const char *text)
{
    static const struct {
        const char *text;
        enum ticket_status status;
    } known[] = {
        {"EXECUTING", TICKET_EXECUTING},
        {"FINISHED", TICKET_FINISHED},
        {"FAILED", TICKET_FAILED},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcasecmp(text, known[i].text) == 0)
            return known[i].status;
    return TICKET_UNKNOWN;
}

static int8_t validated(const struct ticket_answer *answer)
{
    if (answer->status == TICKET_FINISHED && answer->success == 1)
        return 1;
    return answer->n_errors > 0 ? 0 : -1;
}

int ticket_read(const json_value *data, struct arena *arena, struct ticket_answer *ret,
                struct err *err)
{
    struct reader r = {.arena = arena};
    const json_value *detail = json_get(data, "artifactValidationDetail");
    bool success;

    if (!json_string(json_get(data, "ticketStatus")))
        return err_set(err, ERR_PARSE, "the reply has no ticketStatus");
    struct ticket_answer answer = {
        .status_text = keep_text(&r, json_get(data, "ticketStatus")),
        .success = -1,
        .deployment_id = keep_text(&r, json_get(data, "deploymentId")),
        .message = keep_text(&r, json_get(data, "message")),
        .validation_result = keep_text(&r, json_get(detail, "validationResult")),
    };
    answer.status = status_of(answer.status_text);
    if (json_bool(json_get(data, "success"), &success) == 0)
        answer.success = success;
    read_errors(&r, json_get(detail, "errorDetails"), &answer);
    answer.validated = validated(&answer);
    if (r.nomem)
        return err_nomem(err, "the answer about a ticket");
    *ret = answer;
    return 0;
}
