#include "base/build_info.h"

#include <stdio.h>

const char build_version[] = AFE_VERSION;
const char build_revision[] = AFE_REVISION;
const char build_branch[] = AFE_BRANCH;
const char build_compiler[] = AFE_COMPILER;

void build_print_version(const char *program)
{
    printf("%s, version %s (revision: %s)\n  branch:   %s\n  compiler: %s\n", program,
           build_version, build_revision, build_branch, build_compiler);
}
