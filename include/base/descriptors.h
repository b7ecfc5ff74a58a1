/*
 * File descriptors 0, 1 and 2.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

/*
 * First thing in main. A standard descriptor that is closed would be given to the next socket or
 * file, and what goes to stdout or stderr would go there. /dev/null takes its place, opened the
 * wrong way round, so that writes still fail. Ends the program where that cannot be done.
 */
void descriptors_hold_standard(void);

#endif
