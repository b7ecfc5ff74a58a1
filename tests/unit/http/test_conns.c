/* Deadlines on a clock that the test holds: real sockets, no waiting. */
#include "conns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/clock.h"

static const struct conns_limits limits = {.idle_ms = 1000, .header_ms = 100, .reply_ms = 5000};

/* A day ahead: the table's own thread, on the real clock, finds nothing late. */
enum { FAR_MS = 86400 * 1000 };

struct peer {
    struct conn conn;
    int fds[2]; /* the server's end, the client's */
};

struct setup {
    struct conns *conns;
    int64_t t0;
};

static void set_up(struct setup *s)
{
    struct err err;

    assert_int_equal(conns_new(&limits, &s->conns, &err), 0);
    s->t0 = clock_mono_ms() + FAR_MS;
}

static void open_peer(struct setup *s, struct peer *p, int64_t at_ms)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fds), 0);
    conns_opened(s->conns, &p->conn, p->fds[0], s->t0 + at_ms);
}

static void close_peer(struct setup *s, struct peer *p)
{
    conns_closed(s->conns, &p->conn);
    (void)close(p->fds[0]);
    (void)close(p->fds[1]);
}

/* The client reads an end of file once its server's end is shut down. */
static bool is_cut(const struct peer *p)
{
    char c;

    return recv(p->fds[1], &c, 1, MSG_PEEK) == 0;
}

static void test_headers_never_come(void **state)
{
    struct setup s;
    struct peer p;

    (void)state;
    set_up(&s);
    assert_true(conns_cut_late(s.conns, s.t0) == INT64_MAX);
    open_peer(&s, &p, 0);
    assert_true(conns_cut_late(s.conns, s.t0 + 99) == s.t0 + 100);
    assert_false(is_cut(&p));
    assert_true(conns_cut_late(s.conns, s.t0 + 100) == INT64_MAX);
    assert_true(is_cut(&p));
    /* Once is enough; it is not looked at again. */
    assert_true(conns_cut_late(s.conns, s.t0 + 200) == INT64_MAX);
    close_peer(&s, &p);
    conns_free(s.conns);
}

static void test_request_line_but_no_headers(void **state)
{
    struct setup s;
    struct peer p;

    (void)state;
    set_up(&s);
    open_peer(&s, &p, 0);
    /* The line buys no time: the deadline is for line and headers together. */
    conns_request(s.conns, &p.conn, s.t0 + 60);
    assert_true(conns_cut_late(s.conns, s.t0 + 99) == s.t0 + 100);
    (void)conns_cut_late(s.conns, s.t0 + 100);
    assert_true(is_cut(&p));
    close_peer(&s, &p);
    conns_free(s.conns);
}

static void test_slow_reader(void **state)
{
    struct setup s;
    struct peer p;

    (void)state;
    set_up(&s);
    open_peer(&s, &p, 0);
    conns_request(s.conns, &p.conn, s.t0 + 50);
    conns_headers(s.conns, &p.conn);
    assert_true(conns_cut_late(s.conns, s.t0 + 5049) == s.t0 + 5050);
    assert_false(is_cut(&p));
    (void)conns_cut_late(s.conns, s.t0 + 5050);
    assert_true(is_cut(&p));
    close_peer(&s, &p);
    conns_free(s.conns);
}

static void test_keep_alive(void **state)
{
    struct setup s;
    struct peer p;

    (void)state;
    set_up(&s);
    open_peer(&s, &p, 0);
    conns_request(s.conns, &p.conn, s.t0 + 10);
    conns_headers(s.conns, &p.conn);
    conns_replied(s.conns, &p.conn, s.t0 + 20);
    assert_true(conns_cut_late(s.conns, s.t0 + 1000) == s.t0 + 20 + 1000 + 100);
    /* The second request's line, after half of the idle time: headers within header_ms. */
    conns_request(s.conns, &p.conn, s.t0 + 500);
    assert_true(conns_cut_late(s.conns, s.t0 + 500) == s.t0 + 600);
    conns_headers(s.conns, &p.conn);
    assert_true(conns_cut_late(s.conns, s.t0 + 700) == s.t0 + 500 + 5000);
    conns_replied(s.conns, &p.conn, s.t0 + 800);
    /* Bytes that drip in before the line is whole do not move the deadline. */
    assert_true(conns_cut_late(s.conns, s.t0 + 1899) == s.t0 + 1900);
    (void)conns_cut_late(s.conns, s.t0 + 1900);
    assert_true(is_cut(&p));
    close_peer(&s, &p);
    conns_free(s.conns);
}

/* One is late, its neighbours in the list are not; each may leave first. */
static void test_many(void **state)
{
    struct setup s;
    struct peer peers[3];

    (void)state;
    for (size_t late = 0; late < 3; late++) {
        for (size_t first = 0; first < 3; first++) {
            set_up(&s);
            for (size_t i = 0; i < 3; i++)
                open_peer(&s, &peers[i], i == late ? 0 : 50);
            assert_true(conns_cut_late(s.conns, s.t0 + 100) == s.t0 + 150);
            for (size_t i = 0; i < 3; i++)
                assert_true(is_cut(&peers[i]) == (i == late));
            close_peer(&s, &peers[first]);
            close_peer(&s, &peers[(first + 1) % 3]);
            (void)conns_cut_late(s.conns, s.t0 + 150);
            assert_true(is_cut(&peers[(first + 2) % 3]));
            close_peer(&s, &peers[(first + 2) % 3]);
            assert_true(conns_cut_late(s.conns, s.t0 + 1000) == INT64_MAX);
            conns_free(s.conns);
        }
    }
}

/* The table's own thread on the real clock: it wakes for a deadline earlier than the one it knew.
 */
static void test_thread(void **state)
{
    struct setup s;
    struct peer slow;
    struct peer late;
    char c;

    (void)state;
    set_up(&s);
    open_peer(&s, &slow, 0); /* a day ahead */
    s.t0 = clock_mono_ms();
    open_peer(&s, &late, -90);
    for (int i = 0; i < 2000 && !is_cut(&late); i++)
        (void)usleep(1000);
    assert_true(recv(late.fds[1], &c, 1, 0) == 0);
    assert_false(is_cut(&slow));
    close_peer(&s, &late);
    close_peer(&s, &slow);
    conns_free(s.conns);
}

static void test_drain_cuts_the_idle_and_waits_for_the_busy(void **state)
{
    struct setup s;
    struct peer idle;
    struct peer busy;

    (void)state;
    set_up(&s);
    open_peer(&s, &idle, 0);
    open_peer(&s, &busy, 0);
    conns_request(s.conns, &busy.conn, s.t0);
    conns_headers(s.conns, &busy.conn);
    conns_drain(s.conns, clock_mono_ms() + 20); /* nobody closes any: it gives up */
    assert_true(is_cut(&idle));
    assert_false(is_cut(&busy));
    conns_replied(s.conns, &busy.conn, s.t0 + 10);
    assert_true(is_cut(&busy));
    close_peer(&s, &idle);
    close_peer(&s, &busy);

    /* Late comers are not served. */
    open_peer(&s, &idle, 0);
    assert_true(is_cut(&idle));
    close_peer(&s, &idle);
    int64_t began = clock_mono_ms();
    conns_drain(s.conns, began + 10000);
    assert_true(clock_mono_ms() - began < 5000);
    conns_free(s.conns);
}

struct closer {
    struct setup *s;
    struct peer *p;
};

static void *close_soon(void *arg)
{
    struct closer *c = arg;

    (void)usleep(5000);
    close_peer(c->s, c->p);
    return NULL;
}

static void test_drain_ends_with_the_last_connection(void **state)
{
    struct setup s;
    struct peer p;
    pthread_t thread;
    struct closer c = {.s = &s, .p = &p};

    (void)state;
    set_up(&s);
    open_peer(&s, &p, 0);
    conns_request(s.conns, &p.conn, s.t0);
    int64_t began = clock_mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, close_soon, &c), 0);
    conns_drain(s.conns, began + 20000);
    assert_true(clock_mono_ms() - began < 10000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    conns_free(s.conns);
}

static void test_out_of_memory(void **state)
{
    struct conns *conns;
    struct err err;

    (void)state;
    alloc_fail_at(1);
    int rc = conns_new(&limits, &conns, &err);
    alloc_fail_off();
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, ERR_NOMEM);
    conns_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_never_come),
        cmocka_unit_test(test_request_line_but_no_headers),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_drain_cuts_the_idle_and_waits_for_the_busy),
        cmocka_unit_test(test_drain_ends_with_the_last_connection),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
