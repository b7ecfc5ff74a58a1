/* Release functions for CLEANUP(). */
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void freep(void *pointer_to_pointer)
{
    /* The variable may have any pointer type; memcpy reads it without breaking aliasing rules. */
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof(p));
    free(p);
}

void fdp(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    /* Not retried on EINTR: Linux has closed the descriptor by then. */
    (void)close(*fd);
    errno = saved;
}
