/*
 * What --config.check does, in the daemon and in the operator's tool.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "base/cleanup.h"

/*
 * Loads the file and forgets it again: every problem to stderr as file:line: message, or one line
 * of praise to stdout. -1 if there were problems, or stdout cannot be written.
 */
int conf_check(const char *path) MUST_CHECK;

#endif
