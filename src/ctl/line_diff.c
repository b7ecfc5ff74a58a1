/*
 * Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form: for every
 * number of differences d the furthest point on each diagonal is kept, and the way is walked back
 * through what was kept. What both texts begin and end with is cut off first, which leaves little
 * of what people change.
 */
#include "line_diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "visible.h"

enum {
    CONTEXT = 3,
    DIFFERENCES_MAX = 1000, /* what is kept grows with the square: 4 MB */
};

struct line {
    const char *text;
    size_t len; /* with its newline; the last one may have none */
};

struct lines {
    struct line *items;
    size_t n;
    bool *differs; /* by line: only in this text */
};

static int split(const char *text, struct lines *ret)
{
    size_t n = 0;

    for (const char *p = text; *p; n++) {
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    ret->items = calloc(n + 1, sizeof(*ret->items));
    ret->differs = calloc(n + 1, sizeof(*ret->differs));
    if (!ret->items || !ret->differs)
        return -1;
    for (; ret->n < n; ret->n++) {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        ret->items[ret->n] = (struct line){.text = text, .len = len};
        text += len;
    }
    return 0;
}

static void release(struct lines *l)
{
    free(l->items);
    free(l->differs);
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* --- Myers --- */

/* The middles of both texts. */
struct problem {
    const struct line *a, *b;
    int n, m;
    int *kept[DIFFERENCES_MAX + 1]; /* [d][k + d]: furthest x on diagonal k */
};

/* The furthest x on diagonal k with d differences, before equal lines are followed. */
static int step(const struct problem *p, int d, int k)
{
    const int *last;

    if (d == 0)
        return 0;
    last = p->kept[d - 1] + (d - 1);
    if (k == -d || (k != d && last[k - 1] < last[k + 1]))
        return last[k + 1]; /* a line of b more */
    return last[k - 1] + 1; /* a line of a less */
}

/* The number of differences; -1 if there are too many, -2 when memory is out. */
static int search(struct problem *p)
{
    for (int d = 0; d <= DIFFERENCES_MAX; d++) {
        p->kept[d] = calloc((size_t)(2 * d + 1), sizeof(int));
        if (!p->kept[d])
            return -2;
        for (int k = -d; k <= d; k += 2) {
            int x = step(p, d, k);

            while (x < p->n && x - k < p->m && x - k >= 0 && same(&p->a[x], &p->b[x - k]))
                x++;
            p->kept[d][k + d] = x;
            if (x >= p->n && x - k >= p->m)
                return d;
        }
    }
    return -1;
}

static void walk_back(const struct problem *p, int d, bool *a_differs, bool *b_differs)
{
    int k = p->n - p->m;

    for (; d > 0; d--) {
        const int *last = p->kept[d - 1] + (d - 1);

        if (k == -d || (k != d && last[k - 1] < last[k + 1])) {
            k++;
            b_differs[last[k] - k] = true;
        } else {
            k--;
            a_differs[last[k]] = true;
        }
    }
}

static int compare(const struct lines *a, const struct lines *b)
{
    size_t most = a->n < b->n ? a->n : b->n;
    size_t head = 0, tail = 0;
    struct problem p = {0};
    int d;

    while (head < most && same(&a->items[head], &b->items[head]))
        head++;
    while (tail < most - head && same(&a->items[a->n - 1 - tail], &b->items[b->n - 1 - tail]))
        tail++;
    p.a = a->items + head;
    p.b = b->items + head;
    bool huge = a->n - head - tail > INT32_MAX / 4 || b->n - head - tail > INT32_MAX / 4;
    if (!huge) {
        p.n = (int)(a->n - head - tail);
        p.m = (int)(b->n - head - tail);
    }
    d = huge ? -1 : search(&p);
    if (d >= 0)
        walk_back(&p, d, a->differs + head, b->differs + head);
    for (int i = 0; i <= DIFFERENCES_MAX; i++)
        free(p.kept[i]);
    if (d == -1) {
        memset(a->differs + head, true, a->n - head - tail);
        memset(b->differs + head, true, b->n - head - tail);
    }
    return d == -2 ? -1 : 0;
}

/* --- hunks --- */

static void put_line(char sign, const struct line *l, struct strbuf *out)
{
    bool ended = l->len > 0 && l->text[l->len - 1] == '\n';

    strbuf_addf(out, "  %c", sign);
    visible_append_line(out, l->text, l->len - ended);
    strbuf_adds(out, ended ? "\n" : "\n  \\ no newline at the end\n");
}

/*
 * Where the hunk that begins at the difference (i, j) ends: behind a difference that is followed by
 * more than twice the context of equal lines, or by the end.
 */
static void hunk_end(const struct lines *a, const struct lines *b, size_t *i, size_t *j)
{
    size_t equal = 0;

    while ((*i < a->n || *j < b->n) && equal <= 2 * CONTEXT) {
        if (*i < a->n && a->differs[*i]) {
            ++*i;
            equal = 0;
        } else if (*j < b->n && b->differs[*j]) {
            ++*j;
            equal = 0;
        } else {
            ++*i;
            ++*j;
            equal++;
        }
    }
    size_t surplus = equal > CONTEXT ? equal - CONTEXT : 0;
    *i -= surplus;
    *j -= surplus;
}

static void put_hunk(const struct lines *a, const struct lines *b, size_t *i, size_t *j,
                     struct strbuf *out)
{
    size_t context = *i < CONTEXT ? *i : CONTEXT;
    size_t from_i = *i - context, from_j = *j - context;

    hunk_end(a, b, i, j);
    strbuf_addf(out, "  @@ -%zu,%zu +%zu,%zu @@\n", from_i + (*i > from_i), *i - from_i,
                from_j + (*j > from_j), *j - from_j);
    while (from_i < *i || from_j < *j) {
        if (from_i < *i && a->differs[from_i]) {
            put_line('-', &a->items[from_i++], out);
        } else if (from_j < *j && b->differs[from_j]) {
            put_line('+', &b->items[from_j++], out);
        } else {
            put_line(' ', &a->items[from_i++], out);
            from_j++;
        }
    }
}

void line_diff(const char *before, const char *after, struct strbuf *out)
{
    CLEANUP(release) struct lines a = {0};
    CLEANUP(release) struct lines b = {0};

    if (split(before, &a) < 0 || split(after, &b) < 0 || compare(&a, &b) < 0) {
        out->bad = true;
        return;
    }
    for (size_t i = 0, j = 0; i < a.n || j < b.n;) {
        if ((i < a.n && a.differs[i]) || (j < b.n && b.differs[j])) {
            put_hunk(&a, &b, &i, &j, out);
        } else {
            i++;
            j++;
        }
    }
}
