/* What was built: for --version, the status page and the build_info metric. Static strings. */
#ifndef BASE_BUILD_INFO_H
#define BASE_BUILD_INFO_H

extern const char build_version[];
extern const char build_revision[];
extern const char build_branch[];
extern const char build_compiler[];

/* For --version, to stdout. The first line is NAME, version X.Y.Z (revision: abc). */
void build_print_version(const char *program);

#endif
