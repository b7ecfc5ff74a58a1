#include "build_info.h"

const char build_version[] = AFE_VERSION;
const char build_revision[] = AFE_REVISION;
const char build_branch[] = AFE_BRANCH;
const char build_compiler[] = AFE_COMPILER;
