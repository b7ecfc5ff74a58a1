#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

struct interrupt {
    struct api_client *client;
    const struct credentials_pool *credentials;
    pthread_t thread;
    bool running;
    sigset_t signals;
    sigset_t before; /* the mask that was in force */
    int signal_fd;
    int happened_fd; /* readable once it has happened */
    int quit_fd;
    atomic_bool happened;
};

static void set_event(int fd)
{
    uint64_t one = 1;

    /* Fails only where the counter is full, and it is readable then. */
    if (write(fd, &one, sizeof(one)) < 0)
        return;
}

static void *interrupt_main(void *arg)
{
    struct interrupt *i = arg;
    struct pollfd fds[] = {{.fd = i->signal_fd, .events = POLLIN},
                           {.fd = i->quit_fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    if (!(fds[0].revents & POLLIN) || read(i->signal_fd, &info, sizeof(info)) < 0)
        return NULL;
    atomic_store(&i->happened, true);
    set_event(i->happened_fd);
    if (i->client)
        api_client_stop(i->client);
    if (i->credentials)
        credentials_pool_stop(i->credentials, NULL);
    /* The next one finds a thread that does not block it, and its default kills. */
    pthread_sigmask(SIG_UNBLOCK, &i->signals, NULL);
    while (poll(&fds[1], 1, -1) < 0 && errno == EINTR)
        ;
    return NULL;
}

void interrupt_free(struct interrupt *i)
{
    if (!i)
        return;
    if (i->running) {
        set_event(i->quit_fd);
        pthread_join(i->thread, NULL);
        pthread_sigmask(SIG_SETMASK, &i->before, NULL);
    }
    fdp(&i->signal_fd);
    fdp(&i->happened_fd);
    fdp(&i->quit_fd);
    free(i);
}

int interrupt_start(struct api_client *client, const struct credentials_pool *credentials,
                    struct interrupt **ret, struct err *err)
{
    struct interrupt *i = calloc(1, sizeof(*i));

    if (!i)
        return err_nomem(err, "signals");
    i->client = client;
    i->credentials = credentials;
    sigemptyset(&i->signals);
    sigaddset(&i->signals, SIGINT);
    sigaddset(&i->signals, SIGTERM);
    sigaddset(&i->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &i->signals, &i->before);
    i->signal_fd = signalfd(-1, &i->signals, SFD_CLOEXEC);
    i->happened_fd = eventfd(0, EFD_CLOEXEC);
    i->quit_fd = eventfd(0, EFD_CLOEXEC);
    i->running = i->signal_fd >= 0 && i->happened_fd >= 0 && i->quit_fd >= 0 &&
                 pthread_create(&i->thread, NULL, interrupt_main, i) == 0;
    if (!i->running) {
        pthread_sigmask(SIG_SETMASK, &i->before, NULL);
        interrupt_free(i);
        return err_set(err, ERR_INTERNAL, "cannot start a thread for signals");
    }
    *ret = i;
    return 0;
}

bool interrupt_happened(const struct interrupt *i)
{
    return atomic_load(&i->happened);
}

enum interrupt_wait interrupt_wait(struct interrupt *i, int fd, short events, int64_t until_mono_ms)
{
    struct pollfd fds[] = {{.fd = i->happened_fd, .events = POLLIN}, {.fd = fd, .events = events}};

    while (!interrupt_happened(i)) {
        int64_t left = until_mono_ms == INT64_MAX ? -1 : until_mono_ms - clock_mono_ms();
        int n;

        if (until_mono_ms != INT64_MAX && left <= 0)
            return WAIT_TIMED_OUT;
        n = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0 && fds[0].revents == 0)
            return WAIT_READY;
    }
    return WAIT_INTERRUPTED;
}
