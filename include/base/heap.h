/*
 * What the C library's allocator (glibc 2.33 or newer) should know about this program.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>

/*
 * Call it before the first thread starts. One arena for all threads: what a worker's listing
 * occupied is then what the text is written to, instead of lying idle in an arena of the worker's
 * own: a tenth less memory and more. The price is that threads wait for each other: 2 us instead of
 * 1 for an allocation during a refresh. MALLOC_ARENA_MAX and GLIBC_TUNABLES of the environment win.
 * And large blocks go back to the system when they are freed, however many there were before.
 */
void heap_setup(void);

/*
 * Gives free memory back to the system if there is too much of it: more than a sixteenth of what
 * is in use and two megabytes. Below that it stays, because the next refresh needs it again and new
 * pages cost more than old ones. True if it gave back. Any thread; others wait for it to allocate,
 * for some milliseconds where there are hundreds of megabytes.
 */
bool heap_give_back(void);

#endif
