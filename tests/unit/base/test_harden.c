/* In a child: what is switched off stays off. */
#include "base/harden.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(void)
{
    struct rlimit limit;
    struct err err = {0};

    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1)
        return 2; /* the look itself is broken */
    if (harden_process(&err) < 0 || harden_process(&err) < 0)
        return 3;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 4;
    if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
        return 5;
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    return 6;
}

static void no_core(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status))
        fail_msg("exit %d", WEXITSTATUS(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_core)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
