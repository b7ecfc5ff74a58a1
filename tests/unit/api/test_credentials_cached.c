/*
 * The cache, with a source that hands out keys, fails or hangs as it is told, and a clock that can
 * be put forward. Nothing here sleeps: threads wait for each other.
 */
#include "credentials_cached.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define MINUTE INT64_C(60000)

static _Atomic int64_t forward_ms;
int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
    return __real_clock_mono_ms() + atomic_load(&forward_ms);
}

/* --- the source --- */

static struct {
    struct credentials_source source;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    bool hang;
    bool stopped;
    bool fails;
    int64_t lifetime_ms;
    unsigned begun;
    unsigned exhausted;
} fake = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int fake_get(struct credentials_source *source, struct credentials_grant *ret,
                    struct err *err)
{
    char id[16];

    (void)source;
    pthread_mutex_lock(&fake.mu);
    fake.begun++;
    pthread_cond_broadcast(&fake.changed);
    while (fake.hang && !fake.stopped)
        pthread_cond_wait(&fake.changed, &fake.mu);
    bool stopped = fake.stopped, fails = fake.fails;
    int64_t lifetime_ms = fake.lifetime_ms;
    snprintf(id, sizeof(id), "id-%u", fake.begun);
    pthread_mutex_unlock(&fake.mu);
    if (stopped)
        return err_set(err, ERR_STOPPED, "stopped");
    if (fails)
        return err_set(err, ERR_TIMEOUT, "the source says no");
    ret->server_unix_ms = INT64_C(1790000000000);
    ret->expiration_unix_ms = ret->server_unix_ms + lifetime_ms;
    return credentials_keys_copy(id, "secret", NULL, &ret->keys, err);
}

static void fake_exhausted(struct credentials_source *source)
{
    (void)source;
    pthread_mutex_lock(&fake.mu);
    fake.exhausted++;
    pthread_mutex_unlock(&fake.mu);
}

static void fake_stop(struct credentials_source *source)
{
    (void)source;
    pthread_mutex_lock(&fake.mu);
    fake.stopped = true;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mu);
}

static void fake_set(bool hang, bool fails)
{
    pthread_mutex_lock(&fake.mu);
    fake.hang = hang;
    fake.fails = fails;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mu);
}

static unsigned fake_begun(void)
{
    pthread_mutex_lock(&fake.mu);
    unsigned begun = fake.begun;
    pthread_mutex_unlock(&fake.mu);
    return begun;
}

static void wait_begun(unsigned n)
{
    pthread_mutex_lock(&fake.mu);
    while (fake.begun < n)
        pthread_cond_wait(&fake.changed, &fake.mu);
    pthread_mutex_unlock(&fake.mu);
}

static struct credentials_cache *make(int64_t lifetime_ms)
{
    static const struct credentials_source_ops ops = {
        .get = fake_get, .exhausted = fake_exhausted, .stop = fake_stop};
    const struct credentials_cache_options options = {
        .source = &fake.source, .name = "test", .provider = "fake"};

    fake.source.ops = &ops;
    fake.hang = fake.stopped = fake.fails = false;
    fake.begun = fake.exhausted = 0;
    fake.lifetime_ms = lifetime_ms;
    struct credentials_cache *c = credentials_cache_new(&options);
    assert_non_null(c);
    return c;
}

/* The number of the fetch that the keys are of, 0 = none. */
static unsigned get(struct credentials_cache *c, uint64_t *ret_generation, struct err *err)
{
    CLEANUP(credentials_keys_release) struct credentials_keys keys = {0};
    unsigned n = 0;

    *err = (struct err){0};
    if (credentials_cache_get(c, NULL, &keys, err) < 0)
        return 0;
    *ret_generation = keys.generation;
    assert_int_equal(sscanf(keys.access_key_id, "id-%u", &n), 1);
    return n;
}

static void expect(struct credentials_cache *c, unsigned n)
{
    struct err err;
    uint64_t generation;
    unsigned got = get(c, &generation, &err);

    if (got != n)
        fail_msg("keys %u, not %u: %s", got, n, err.msg);
}

static void expect_fails(struct credentials_cache *c, enum err_kind kind)
{
    struct err err;
    uint64_t generation;

    assert_int_equal(get(c, &generation, &err), 0);
    assert_int_equal(err.kind, kind);
}

static void pass(int64_t ms)
{
    atomic_fetch_add(&forward_ms, ms);
}

/* The fetch under way has ended when another one's keys or error can be seen. */
static void get_until(struct credentials_cache *c, unsigned n)
{
    struct err err;
    uint64_t generation;

    while (get(c, &generation, &err) != n)
        sched_yield();
}

/* --- tests --- */

static void *get_thread(void *arg)
{
    struct err err;
    uint64_t generation;
    unsigned n = get(arg, &generation, &err);

    return (void *)(uintptr_t)(n ? n : 1000 + (unsigned)err.kind);
}

static void one_fetch_for_all(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    pthread_t threads[16];

    (void)state;
    fake_set(true, false);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_thread, c), 0);
    wait_begun(1);
    fake_set(false, false);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *n;
        pthread_join(threads[i], &n);
        assert_int_equal((uintptr_t)n, 1);
    }
    assert_int_equal(fake_begun(), 1);
    expect(c, 1);
    credentials_cache_free(c);
}

/* A renewal that hangs holds up nobody, and is not begun twice. */
static void good_keys_never_wait(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);

    (void)state;
    expect(c, 1);
    fake_set(true, false);
    pass(46 * MINUTE);
    for (int i = 0; i < 100; i++)
        expect(c, 1);
    wait_begun(2);
    assert_int_equal(fake_begun(), 2);
    fake_set(false, false);
    get_until(c, 2);
    pass(44 * MINUTE);
    expect(c, 2);
    assert_int_equal(fake_begun(), 2);
    credentials_cache_free(c);
}

/* Asks until one more fetch has begun and failed; the keys stay those of n, or none (0). */
static void fail_once_more(struct credentials_cache *c, unsigned n)
{
    struct err err;
    uint64_t generation;
    unsigned begun = fake_begun();

    pass(61000);
    while (fake_begun() == begun)
        assert_int_equal(get(c, &generation, &err), n);
}

static void failures_while_keys_are_good(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    uint64_t warned = log_lines_total(LOG_WARN), informed = log_lines_total(LOG_INFO);

    (void)state;
    expect(c, 1);
    fake_set(false, true);
    pass(44 * MINUTE);
    for (int i = 0; i < 5; i++)
        fail_once_more(c, 1);
    /* The back-off holds: the clock stands still, so no attempt is added. */
    credentials_cache_free(c);
    assert_int_equal(log_lines_total(LOG_WARN), warned + 1);
    assert_int_equal(log_lines_total(LOG_INFO), informed);
    assert_int_equal(fake.exhausted, 0);
}

static void works_again(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    uint64_t informed = log_lines_total(LOG_INFO);

    (void)state;
    expect(c, 1);
    fake_set(false, true);
    pass(45 * MINUTE);
    fail_once_more(c, 1);
    fake_set(true, false);
    pass(61000);
    struct err err;
    uint64_t generation;
    /* The one that failed may not be over yet. */
    while (fake_begun() < 3)
        assert_int_equal(get(c, &generation, &err), 1);
    fake_set(false, false);
    get_until(c, 3);
    credentials_cache_free(c);
    assert_int_equal(log_lines_total(LOG_INFO), informed + 1);
}

static void expired(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);

    (void)state;
    expect(c, 1);
    fake_set(false, true);
    pass(60 * MINUTE + 1);
    expect_fails(c, ERR_TIMEOUT); /* the source's own */
    assert_int_equal(fake_begun(), 2);
    for (int i = 0; i < 10; i++)
        expect_fails(c, ERR_TIMEOUT);
    assert_int_equal(fake_begun(), 2); /* at rest */
    assert_int_equal(fake.exhausted, 1);
    fake_set(false, false);
    pass(1001);
    expect(c, 3);
    credentials_cache_free(c);
}

static void refused_by_generation(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    struct err err;
    uint64_t first, second, third;

    (void)state;
    assert_int_equal(get(c, &first, &err), 1);
    credentials_cache_invalidate(c, first);
    assert_int_equal(get(c, &second, &err), 2);
    assert_true(second != first);
    /* Requests that were under way with the old keys say nothing about the new ones. */
    credentials_cache_invalidate(c, first);
    assert_int_equal(get(c, &third, &err), 2);
    assert_true(third == second);
    assert_int_equal(fake_begun(), 2);
    /* The new ones refused at once: not before a second is over. */
    credentials_cache_invalidate(c, second);
    assert_int_equal(get(c, &third, &err), 2);
    pass(1001);
    assert_int_equal(get(c, &third, &err), 3);
    credentials_cache_free(c);
}

static void handed_out_expired(void **state)
{
    struct credentials_cache *c = make(0);
    struct err err;
    uint64_t generation;

    (void)state;
    assert_int_equal(get(c, &generation, &err), 0);
    assert_int_equal(err.kind, ERR_AUTHENTICATION);
    assert_string_equal(err.msg, "the keys that were handed out have expired");
    credentials_cache_free(c);
}

/* Else each fetch is followed by the next at once, by as many as the source can answer. */
static void too_short_lived(void **state)
{
    struct credentials_cache *c = make(999);
    struct err err;
    uint64_t generation;

    (void)state;
    assert_int_equal(get(c, &generation, &err), 0);
    assert_int_equal(err.kind, ERR_AUTHENTICATION);
    assert_non_null(strstr(err.msg, "the keys that were handed out")); /* time goes on meanwhile */
    credentials_cache_free(c);
}

/* A failure that is over is not what is told later. */
static void an_old_failure_is_forgotten(void **state)
{
    struct credentials_cache *c = make(10000);
    struct err err;
    uint64_t generation;

    (void)state;
    fake_set(false, true);
    expect_fails(c, ERR_TIMEOUT);
    fake_set(false, false);
    for (unsigned n = 2; n < 10; n++) {
        pass(61000);
        assert_int_equal(get(c, &generation, &err), n);
        credentials_cache_invalidate(c, generation);
    }
    /* Refused so often that the next fetch has to wait for longer than the keys are good. */
    pass(10001);
    expect_fails(c, ERR_AUTHENTICATION);
    assert_int_equal(fake_begun(), 9);
    credentials_cache_free(c);
}

static void stop_ends_all(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    pthread_t threads[4];

    (void)state;
    fake_set(true, false);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_thread, c), 0);
    wait_begun(1);
    credentials_cache_stop(c);
    credentials_cache_stop(c);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *n;
        pthread_join(threads[i], &n);
        assert_int_equal((uintptr_t)n, 1000 + ERR_STOPPED);
    }
    expect_fails(c, ERR_STOPPED);
    assert_int_equal(fake_begun(), 1);
    credentials_cache_free(c);
}

static void free_ends_a_fetch(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);

    (void)state;
    expect(c, 1);
    fake_set(true, false);
    pass(50 * MINUTE);
    expect(c, 1);
    wait_begun(2);
    credentials_cache_free(c);
}

static atomic_bool cancelled;

static void *get_cancelled(void *arg)
{
    struct credentials_keys keys = {0};
    struct err err = {0};

    assert_int_equal(credentials_cache_get(arg, &cancelled, &keys, &err), -1);
    return (void *)(uintptr_t)err.kind;
}

static void who_waits_can_be_called_off(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    pthread_t thread;
    void *kind;

    (void)state;
    fake_set(true, false);
    assert_int_equal(pthread_create(&thread, NULL, get_cancelled, c), 0);
    wait_begun(1);
    atomic_store(&cancelled, true);
    credentials_cache_wake(c);
    pthread_join(thread, &kind);
    assert_int_equal((uintptr_t)kind, ERR_STOPPED);
    /* The fetch goes on for others. */
    fake_set(false, false);
    expect(c, 1);
    credentials_cache_free(c);
}

static void waiting_has_an_end(void **state)
{
    struct credentials_cache *c = make(60 * MINUTE);
    pthread_t thread;
    void *n;

    (void)state;
    fake_set(true, false);
    assert_int_equal(pthread_create(&thread, NULL, get_thread, c), 0);
    wait_begun(1);
    pass(31000);
    credentials_cache_wake(c);
    pthread_join(thread, &n);
    assert_int_equal((uintptr_t)n, 1000 + ERR_TIMEOUT);
    credentials_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_fetch_for_all),
        cmocka_unit_test(good_keys_never_wait),
        cmocka_unit_test(failures_while_keys_are_good),
        cmocka_unit_test(works_again),
        cmocka_unit_test(expired),
        cmocka_unit_test(refused_by_generation),
        cmocka_unit_test(handed_out_expired),
        cmocka_unit_test(too_short_lived),
        cmocka_unit_test(an_old_failure_is_forgotten),
        cmocka_unit_test(stop_ends_all),
        cmocka_unit_test(free_ends_a_fetch),
        cmocka_unit_test(who_waits_can_be_called_off),
        cmocka_unit_test(waiting_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
