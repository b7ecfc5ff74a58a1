#include "base/harden.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/*
 * Both: a core_pattern that is a pipe gets its dump whatever the limit says, and the limit still
 * holds when something (a debugger's wrapper) makes the process dumpable again.
 */
int harden_process(struct err *err)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    char reason[128];

    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_set(err, ERR_INTERNAL, "core dumps cannot be switched off: %s",
                       strerror_r(errno, reason, sizeof(reason)));
    return 0;
}
