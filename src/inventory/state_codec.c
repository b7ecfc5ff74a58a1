/*
 * The bytes of a state file:
 *
 *     "aliyun_flink_exporter state 2\n"    so that head -n 1 tells what it is; 2 is the version
 *     length of the payload                eight bytes, low byte first
 *     CRC-32 of payload and length         four bytes, low byte first
 *     payload                              when it was written, then the namespaces
 *
 * and per namespace the workspace, its name, each with its length in front and a NUL behind, and
 * the length of its events and themselves (events_codec.c). Binary, because it is written whenever
 * a counter grew: the lists lie in memory as they lie here. The sum finds what a disk or an editor
 * did; nobody who may write the file is kept from lying in it, so every length and every number is
 * checked all the same. A newer version is refused, not guessed at; version 1 knew no statuses, and
 * is read as if none had been told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/deflate.h"
#include "base/varint.h"
#include "state_file.h"

#define NAME   "aliyun_flink_exporter state "
#define HEADER NAME "2\n" /* STATE_VERSION */

enum {
    HEADER_LEN = sizeof(HEADER) - 1,
    LENGTH_LEN = 8,
    SUM_LEN = 4,
    FRONT_LEN = HEADER_LEN + LENGTH_LEN + SUM_LEN,
    TEXT_MAX = 4096, /* of a workspace or namespace */
    NAMESPACES_MAX = 1000000,
};

static void put_fixed(char *out, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(v >> 8 * i);
}

static uint64_t take_fixed(const unsigned char *bytes, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << 8 * i;
    return v;
}

/* --- writing --- */

static void put(struct strbuf *out, uint64_t v)
{
    unsigned char bytes[VARINT_MAX];

    strbuf_add(out, bytes, (size_t)(varint_put(bytes, v) - bytes));
}

static void put_text(struct strbuf *out, const char *text)
{
    size_t len = strlen(text);

    put(out, len);
    strbuf_add(out, text, len + 1);
}

void state_begin(struct strbuf *out, const struct events_moment *now, size_t n_namespaces)
{
    static const char room[LENGTH_LEN + SUM_LEN];

    strbuf_reset(out);
    strbuf_add(out, HEADER, HEADER_LEN);
    strbuf_add(out, room, sizeof(room));
    put(out, (uint64_t)(now->unix_ms > 0 ? now->unix_ms : 0));
    put(out, (uint64_t)now->mono_ms);
    put(out, n_namespaces);
}

/* The length of the events in front of them is known once they are written: it has a fixed size. */
void state_add(struct strbuf *out, const char *workspace, const char *namespace_name,
               const struct events *events)
{
    static const char room[LENGTH_LEN];
    size_t length_at;

    put_text(out, workspace);
    put_text(out, namespace_name);
    length_at = out->len;
    strbuf_add(out, room, sizeof(room));
    events_write(events, out);
    if (strbuf_ok(out))
        put_fixed(out->ptr + length_at, out->len - length_at - LENGTH_LEN, LENGTH_LEN);
}

static uint32_t sum_of(const void *front, size_t len)
{
    const unsigned char *bytes = front;
    uint32_t sum = deflate_crc32(0, bytes + HEADER_LEN, LENGTH_LEN);

    return deflate_crc32(sum, bytes + FRONT_LEN, len - FRONT_LEN);
}

void state_end(struct strbuf *out)
{
    if (!strbuf_ok(out))
        return;
    put_fixed(out->ptr + HEADER_LEN, out->len - FRONT_LEN, LENGTH_LEN);
    put_fixed(out->ptr + HEADER_LEN + LENGTH_LEN, sum_of(out->ptr, out->len), SUM_LEN);
}

/* --- reading --- */

static bool take(const unsigned char **at, const unsigned char *end, uint64_t max, uint64_t *ret)
{
    return varint_take(at, end, ret) && *ret <= max;
}

static bool take_text(const unsigned char **at, const unsigned char *end, const char **ret)
{
    uint64_t len;

    if (!take(at, end, TEXT_MAX, &len) || len == 0 || len >= (size_t)(end - *at) ||
        memchr(*at, '\0', len) || (*at)[len] != '\0')
        return false;
    *ret = (const char *)*at;
    *at += len + 1;
    return true;
}

static bool take_namespace(const unsigned char **at, const unsigned char *end,
                           struct state_namespace *ret)
{
    uint64_t len;

    if (!take_text(at, end, &ret->workspace) || !take_text(at, end, &ret->namespace_name) ||
        end - *at < LENGTH_LEN)
        return false;
    len = take_fixed(*at, LENGTH_LEN);
    *at += LENGTH_LEN;
    if (len > (size_t)(end - *at))
        return false;
    ret->events = *at;
    ret->events_len = (size_t)len;
    *at += len;
    return true;
}

/* The version, the length and the sum: whether the payload is what was written. */
static int check_front(const unsigned char *bytes, size_t len, int *ret_version, struct err *err)
{
    size_t name_len = sizeof(NAME) - 1;

    if (len < name_len || memcmp(bytes, NAME, name_len) != 0)
        return err_set(err, ERR_PARSE, "it is no state file of this program");
    if (len < HEADER_LEN || bytes[HEADER_LEN - 1] != '\n' || bytes[name_len] < '1' ||
        bytes[name_len] > '0' + STATE_VERSION)
        return err_set(err, ERR_PARSE, "it is of another version of this program");
    if (len < FRONT_LEN)
        return err_set(err, ERR_PARSE, "it is cut off");
    if (take_fixed(bytes + HEADER_LEN, LENGTH_LEN) != len - FRONT_LEN)
        return err_set(err, ERR_PARSE, "it is cut off, or longer than it says");
    if (take_fixed(bytes + HEADER_LEN + LENGTH_LEN, SUM_LEN) != sum_of(bytes, len))
        return err_set(err, ERR_PARSE, "its checksum is wrong");
    *ret_version = bytes[name_len] - '0';
    return 0;
}

int state_decode(const void *bytes, size_t len, struct state *ret, struct err *err)
{
    const unsigned char *at = bytes, *end = at + len;
    struct state state = STATE_INIT;
    uint64_t unix_ms, mono_ms, n;

    if (check_front(bytes, len, &state.version, err) < 0)
        return -1;
    at += FRONT_LEN;
    /* Each namespace takes some bytes: what cannot be there is not allocated for. */
    if (!take(&at, end, EVENT_TIME_MAX, &unix_ms) || !take(&at, end, EVENT_TIME_MAX, &mono_ms) ||
        !take(&at, end, NAMESPACES_MAX, &n) || n > (size_t)(end - at))
        return err_set(err, ERR_PARSE, "it begins with no times");
    state.written = (struct events_moment){(int64_t)unix_ms, (int64_t)mono_ms};
    state.namespaces = calloc(n ? n : 1, sizeof(*state.namespaces));
    if (!state.namespaces)
        return err_nomem(err, "the state");
    for (; state.n_namespaces < n; state.n_namespaces++)
        if (!take_namespace(&at, end, &state.namespaces[state.n_namespaces])) {
            err_set(err, ERR_PARSE, "namespace %zu is cut off", state.n_namespaces + 1);
            state_release(&state);
            return -1;
        }
    if (at != end) {
        state_release(&state);
        return err_set(err, ERR_PARSE, "there is something behind its last namespace");
    }
    *ret = state;
    return 0;
}

void state_release(struct state *state)
{
    free(state->namespaces);
    *state = STATE_INIT;
}
