/* What was built: for --version, the status page and the build_info metric. Static strings. */
#ifndef BUILD_INFO_H
#define BUILD_INFO_H

extern const char build_version[];
extern const char build_revision[];
extern const char build_branch[];
extern const char build_compiler[];

#endif
