/* The same words whoever asks: scripts look for them. */
#include "conf/check.h"

#include <stdio.h>

#include "conf/conf.h"

int conf_check(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    CLEANUP(conf_unrefp) struct conf *conf = NULL;
    struct err err = {0};

    if (conf_load(path, &conf, &problems, &err) < 0) {
        fputs(problems.len > 0 ? strbuf_str(&problems) : err.msg, stderr);
        if (problems.len == 0)
            fputc('\n', stderr);
        return -1;
    }
    printf("%s is valid: %zu target%s\n", path, conf->n_targets, conf->n_targets == 1 ? "" : "s");
    return fflush(stdout) == 0 ? 0 : -1;
}
