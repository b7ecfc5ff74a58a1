#include "changes.h"

#include <stdlib.h>
#include <string.h>

#include "line_diff.h"
#include "visible.h"

/* A text longer than this is compared by lines even if it is one. */
enum { SHORT_TEXT = 200 };

struct finder {
    struct changes *changes;
    struct strbuf path;
};

void changes_release(struct changes *c)
{
    for (size_t i = 0; i < c->n_items; i++)
        free(c->items[i].path);
    free(c->items);
    *c = CHANGES_INIT;
}

static int add(struct finder *f, const json_value *before, const json_value *after, struct err *err)
{
    struct changes *c = f->changes;

    if (c->n_items == c->cap_items) {
        size_t cap = c->cap_items ? 2 * c->cap_items : 16;
        struct change *items = realloc(c->items, cap * sizeof(*items));

        if (!items)
            return err_nomem(err, "the changes");
        c->items = items;
        c->cap_items = cap;
    }
    char *path = strbuf_ok(&f->path) ? strdup(strbuf_str(&f->path)) : NULL;
    if (!path)
        return err_nomem(err, "the changes");
    c->items[c->n_items++] = (struct change){.path = path, .before = before, .after = after};
    return 0;
}

static bool is_plain(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && key[len] == '\0';
}

static void push_key(struct strbuf *path, const char *key)
{
    if (!is_plain(key)) {
        strbuf_addc(path, '[');
        json_print_string(key, path);
        strbuf_addc(path, ']');
        return;
    }
    if (path->len > 0)
        strbuf_addc(path, '.');
    strbuf_adds(path, key);
}

static void pop(struct strbuf *path, size_t len)
{
    if (path->len > len) {
        path->len = len;
        path->ptr[len] = '\0';
    }
}

static int find(struct finder *f, const json_value *before, const json_value *after,
                struct err *err);

static int find_in_objects(struct finder *f, const json_value *before, const json_value *after,
                           struct err *err)
{
    size_t len = f->path.len;

    for (const json_value *b = json_first(before); b; b = json_next(b)) {
        if (json_is_null(b)) /* as if it were not there: what takes its place comes below */
            continue;
        push_key(&f->path, json_key(b));
        if (find(f, b, json_get(after, json_key(b)), err) < 0)
            return -1;
        pop(&f->path, len);
    }
    for (const json_value *a = json_first(after); a; a = json_next(a)) {
        if (json_get(before, json_key(a)))
            continue;
        push_key(&f->path, json_key(a));
        if (find(f, NULL, a, err) < 0)
            return -1;
        pop(&f->path, len);
    }
    return 0;
}

static int find_in_arrays(struct finder *f, const json_value *before, const json_value *after,
                          struct err *err)
{
    const json_value *b = json_first(before);
    const json_value *a = json_first(after);
    size_t len = f->path.len;

    for (size_t i = 0; b || a; i++) {
        strbuf_addf(&f->path, "[%zu]", i);
        if (find(f, b, a, err) < 0)
            return -1;
        pop(&f->path, len);
        b = b ? json_next(b) : NULL;
        a = a ? json_next(a) : NULL;
    }
    return 0;
}

static bool looks_into(bool (*is_kind)(const json_value *v), const json_value *before,
                       const json_value *after)
{
    /* An empty one that comes or goes is a change in itself. */
    if (!before || !after)
        return is_kind(before ? before : after) && json_first(before ? before : after);
    return is_kind(before) && is_kind(after);
}

static int find(struct finder *f, const json_value *before, const json_value *after,
                struct err *err)
{
    before = json_is_null(before) ? NULL : before;
    after = json_is_null(after) ? NULL : after;
    if (!before && !after)
        return 0;
    if (looks_into(json_is_object, before, after))
        return find_in_objects(f, before, after, err);
    if (looks_into(json_is_array, before, after))
        return find_in_arrays(f, before, after, err);
    return json_equal(before, after) ? 0 : add(f, before, after, err);
}

int changes_find(struct changes *c, const json_value *before, const json_value *after,
                 struct err *err)
{
    struct finder f = {.changes = c, .path = STRBUF_INIT};
    int rc = find(&f, before, after, err);

    strbuf_release(&f.path);
    return rc;
}

/* --- paths --- */

static bool is_inside(const char *path, const char *outer)
{
    size_t len = strlen(outer);

    return strncmp(path, outer, len) == 0 && strchr(".[", path[len]);
}

bool changes_overlap(const char *path, const char *other)
{
    return is_inside(path, other) || is_inside(other, path);
}

bool changes_in_field(const char *path, const char *field)
{
    return is_inside(path, field);
}

/* --- showing --- */

static void show_value(const json_value *v, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!v) {
        strbuf_adds(out, "(none)");
        return;
    }
    if (json_print(v, false, &text, NULL) < 0)
        out->bad = true;
    visible_append(out, strbuf_str(&text), text.len);
}

static bool is_long(const json_value *v)
{
    const char *text = json_string(v);

    return text && (strchr(text, '\n') || strlen(text) > SHORT_TEXT);
}

static bool is_text_or_none(const json_value *v)
{
    return !v || json_string(v);
}

static void show(const struct change *c, struct strbuf *out)
{
    visible_append(out, c->path, strlen(c->path));
    if ((is_long(c->before) || is_long(c->after)) && is_text_or_none(c->before) &&
        is_text_or_none(c->after)) {
        strbuf_adds(out, !c->before  ? ": (none) -> text\n"
                         : !c->after ? ": text -> (none)\n"
                                     : ":\n");
        line_diff(c->before ? json_string(c->before) : "", c->after ? json_string(c->after) : "",
                  out);
        return;
    }
    strbuf_adds(out, ": ");
    show_value(c->before, out);
    strbuf_adds(out, " -> ");
    show_value(c->after, out);
    strbuf_addc(out, '\n');
}

void changes_show(const struct changes *c, struct strbuf *out)
{
    for (size_t i = 0; i < c->n_items; i++)
        show(&c->items[i], out);
}

void changes_put(const struct changes *c, const char *key, struct json_out *o)
{
    json_out_open(o, key, '[');
    for (size_t i = 0; i < c->n_items; i++) {
        json_out_open(o, NULL, '{');
        json_out_text(o, "path", c->items[i].path);
        json_out_value(o, "before", c->items[i].before);
        json_out_value(o, "after", c->items[i].after);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
}
