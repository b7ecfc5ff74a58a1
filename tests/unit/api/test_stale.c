/*
 * Kept connections that are dead without anybody having closed them, as a firewall or a NAT gateway
 * leaves them behind that lost its state: what is sent on them is never answered.
 */
#include "transport.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { CONNECTIONS_MAX = 16, AT_ONCE = 4, TIMEOUT_MS = 2500, CEILING_MS = 20000 };

/* A server that answers everybody, but for those who connected before a cut. */
static struct {
    pthread_t thread;
    int listener;
    int port;
    int quit[2];
    atomic_int accepted;
    atomic_int dead; /* the first so many connections are */
} server;

static void answer(int fd, bool dead)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    char request[4096];

    if (recv(fd, request, sizeof(request), MSG_DONTWAIT) <= 0 || dead)
        return;
    /* Not so fast that the next request could have the same connection. */
    usleep(50000);
    (void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
    struct pollfd fds[2 + CONNECTIONS_MAX];
    nfds_t n = 2;

    (void)arg;
    fds[0] = (struct pollfd){.fd = server.quit[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = server.listener, .events = POLLIN};
    while (poll(fds, n, -1) > 0 && !fds[0].revents) {
        for (nfds_t i = 2; i < n; i++)
            if (fds[i].revents)
                answer(fds[i].fd, (int)(i - 2) < atomic_load(&server.dead));
        if (fds[1].revents && n < 2 + CONNECTIONS_MAX) {
            fds[n++] = (struct pollfd){.fd = accept(server.listener, NULL, NULL), .events = POLLIN};
            atomic_fetch_add(&server.accepted, 1);
        }
        /* Who closed his end would be readable for ever. */
        for (nfds_t i = 2; i < n; i++)
            if (fds[i].revents & (POLLHUP | POLLERR | POLLRDHUP))
                fds[i].events = 0;
    }
    for (nfds_t i = 2; i < n; i++)
        close(fds[i].fd);
    return NULL;
}

static int start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (pipe(server.quit) != 0 ||
        bind(server.listener, (const struct sockaddr *)&address, len) != 0 ||
        listen(server.listener, CONNECTIONS_MAX) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&address, &len) != 0)
        return -1;
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop(void **state)
{
    (void)state;
    close(server.quit[1]);
    pthread_join(server.thread, NULL);
    close(server.quit[0]);
    close(server.listener);
    return 0;
}

static void submit(struct transport *t)
{
    char url[64];
    struct err err;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
    const struct transport_request request = {.method = "GET",
                                              .url = url,
                                              .proxy_url = "none",
                                              .timeout_ms = TIMEOUT_MS,
                                              .max_body_size = 1000};
    assert_int_equal(transport_submit(t, &request, &err), 0);
}

static enum err_kind result(struct transport *t)
{
    struct transport_reply reply = {0};
    struct err err;

    assert_int_equal(transport_wait(t, clock_mono_ms() + CEILING_MS, &reply, &err), 1);
    enum err_kind kind = reply.err.kind;
    transport_reply_release(&reply);
    return kind;
}

/* One request finds out, and the retry is not sent down the next dead connection. */
static void test_one_timeout_is_enough(void **state)
{
    struct transport *t;
    struct err err;

    (void)state;
    assert_int_equal(transport_new("test/1.0", &t, &err), 0);
    for (int i = 0; i < AT_ONCE; i++)
        submit(t);
    for (int i = 0; i < AT_ONCE; i++)
        assert_int_equal(result(t), ERR_NONE);
    assert_int_equal(atomic_load(&server.accepted), AT_ONCE);

    atomic_store(&server.dead, AT_ONCE);
    submit(t);
    assert_int_equal(result(t), ERR_TIMEOUT);
    assert_int_equal(atomic_load(&server.accepted), AT_ONCE);
    submit(t);
    assert_int_equal(result(t), ERR_NONE);
    assert_int_equal(atomic_load(&server.accepted), AT_ONCE + 1);
    /* The new one is trusted. */
    submit(t);
    assert_int_equal(result(t), ERR_NONE);
    assert_int_equal(atomic_load(&server.accepted), AT_ONCE + 1);
    transport_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_timeout_is_enough, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
