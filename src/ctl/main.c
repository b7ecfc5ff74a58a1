/*
 * aliyun_flinkctl: one command, one answer, one exit code.
 */
#include <signal.h>
#include <stdio.h>

#include "api/credentials.h"
#include "base/descriptors.h"
#include "base/harden.h"
#include "base/log.h"
#include "command.h"
#include "complain.h"
#include "options.h"

int main(int argc, char **argv)
{
    struct options options;
    enum options_verdict verdict;

    descriptors_hold_standard();
    /* Keys are in memory. Where the kernel refuses, the command goes on. */
    (void)!harden_process(NULL);
    credentials_environment_take();
    /* Whoever goes away while it is written to is an error of that write. */
    signal(SIGPIPE, SIG_IGN);
    verdict = options_parse(&options, argc, argv);
    if (verdict == OPTIONS_USAGE)
        return CTL_USAGE;
    if (verdict == OPTIONS_DONE)
        return fflush(stdout) == 0 ? CTL_DONE : CTL_FAILED;
    log_setup(options.log_level, LOG_LOGFMT);
    return (int)options.command->run(&options);
}
