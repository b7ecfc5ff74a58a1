#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "model/deployment.h"

struct scan {
    const struct target *target;
    const char *namespace_name;
    const struct ticket_set *before; /* NULL = none */
    int64_t now_unix_s;
    struct arena *arena;
    int dir;            /* descriptor */
    const char **names; /* of the entries, by name; on the heap */
    size_t n_names, cap_names;
    bool too_many;
    struct spool_file *files;
    struct ticket_refusal *refusals;
    struct spool found;
};

static void scan_release(struct scan *scan)
{
    fdp(&scan->dir);
    free(scan->names);
}

/* --- the directory --- */

static int add_name(struct scan *scan, const char *name)
{
    if (scan->n_names == scan->cap_names) {
        size_t cap = scan->cap_names ? scan->cap_names * 2 : 64;
        const char **names = reallocarray(scan->names, cap, sizeof(*names));

        if (!names)
            return -1;
        scan->names = names;
        scan->cap_names = cap;
    }
    scan->names[scan->n_names] = arena_strdup(scan->arena, name);
    return scan->names[scan->n_names++] ? 0 : -1;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void dirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int list_names(struct scan *scan, struct err *err)
{
    CLEANUP(fdp) int fd = fcntl(scan->dir, F_DUPFD_CLOEXEC, 0);
    CLEANUP(dirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    size_t n = 0;

    if (!dir)
        return err_set(err, ERR_IO, "ticket_dir \"%s\": %s", scan->target->ticket_dir,
                       strerror(errno));
    fd = -1; /* is the directory's now */
    while (errno = 0, (entry = readdir(dir))) {
        if (entry->d_name[0] == '.') /* the directories themselves, and temporary files */
            continue;
        if (n++ == SPOOL_ENTRIES_MAX) {
            scan->too_many = true;
            break;
        }
        if (add_name(scan, entry->d_name) < 0)
            return err_nomem(err, "the tickets of ticket_dir");
    }
    if (!entry && errno != 0)
        return err_set(err, ERR_IO, "ticket_dir \"%s\": %s", scan->target->ticket_dir,
                       strerror(errno));
    return 0;
}

/* Those that were followed, though the directory was not read as far as to them. */
static int add_names_of(struct scan *scan)
{
    const struct ticket_set *before = scan->before;

    for (size_t i = 0; before && i < before->n_items; i++)
        if (before->items[i].spooled && add_name(scan, before->items[i].id) < 0)
            return -1;
    return 0;
}

static void sort_names(struct scan *scan)
{
    size_t n = 0;

    if (scan->n_names > 1)
        qsort(scan->names, scan->n_names, sizeof(*scan->names), by_text);
    for (size_t i = 0; i < scan->n_names; i++)
        if (n == 0 || strcmp(scan->names[n - 1], scan->names[i]) != 0)
            scan->names[n++] = scan->names[i];
    scan->n_names = n;
}

/* --- a file --- */

enum verdict { TICKET, NOT_OURS, GONE, NOT_YET, REFUSED, NO_ACCESS /* errno */ };

/* What a file says. Its strings lie in bytes. */
struct note {
    char bytes[SPOOL_FILE_MAX + 2];
    size_t len;
    const char *namespace_name;
    const char *draft_id;
    const char *reason; /* of a refusal; static */
};

static enum verdict refuse(struct note *note, const char *reason)
{
    note->reason = reason;
    return REFUSED;
}

static enum verdict refuse_unreadable(struct note *note)
{
    if (errno == ENOENT) /* it went meanwhile */
        return GONE;
    if (errno == ELOOP)
        return refuse(note, "is a symbolic link");
    if (errno == EACCES || errno == EPERM)
        return refuse(note, "may not be read");
    return NO_ACCESS; /* no fault of the file: no descriptors, a broken disk */
}

/* Only what is a regular file is opened: opening a device may do something. */
static enum verdict check_file(const struct scan *scan, const struct stat *st, struct note *note)
{
    int64_t age_s = scan->now_unix_s - (int64_t)st->st_mtim.tv_sec;

    if (S_ISLNK(st->st_mode))
        return refuse(note, "is a symbolic link");
    if (!S_ISREG(st->st_mode))
        return refuse(note, "is not a regular file");
    if (st->st_size > SPOOL_FILE_MAX)
        return refuse(note, "is larger than 4 KiB");
    if (st->st_size > 0)
        return TICKET;
    return age_s > -SPOOL_YOUNG_S && age_s < SPOOL_YOUNG_S ? NOT_YET : refuse(note, "is empty");
}

static enum verdict read_file(const struct scan *scan, const char *name, struct note *note)
{
    enum verdict verdict;
    struct stat st;
    CLEANUP(fdp) int fd = -1;
    ssize_t n;

    if (fstatat(scan->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return refuse_unreadable(note);
    verdict = check_file(scan, &st, note);
    if (verdict != TICKET)
        return verdict;
    /* It may be something else by now; so that is asked again, of what was opened. */
    fd = openat(scan->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse_unreadable(note);
    verdict = check_file(scan, &st, note);
    if (verdict != TICKET)
        return verdict;
    note->len = 0;
    while ((n = read(fd, note->bytes + note->len, SPOOL_FILE_MAX + 1 - note->len)) > 0)
        note->len += (size_t)n;
    if (n < 0)
        return refuse_unreadable(note);
    if (note->len > SPOOL_FILE_MAX)
        return refuse(note, "is larger than 4 KiB");
    note->bytes[note->len] = '\0';
    return TICKET;
}

static bool has_control(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)bytes[i] < 0x20 && bytes[i] != '\n') || bytes[i] == 0x7f)
            return true;
    return false;
}

static enum verdict parse_note(struct note *note)
{
    char *second, *third;

    if (has_control(note->bytes, note->len))
        return refuse(note, "has control characters in it");
    if (!utf8_valid(note->bytes, note->len))
        return refuse(note, "is not UTF-8");
    while (note->len > 0 && note->bytes[note->len - 1] == '\n')
        note->bytes[--note->len] = '\0';
    second = strchr(note->bytes, '\n');
    if (second)
        *second++ = '\0';
    third = second ? strchr(second, '\n') : NULL;
    note->namespace_name = note->bytes;
    note->draft_id = second ? second : "";
    if (!*note->namespace_name)
        return refuse(note, "does not name a namespace on its first line");
    if (third)
        return refuse(note, "has more than two lines");
    if (strlen(note->draft_id) > LABEL_VALUE_MAX)
        return refuse(note, "has a draft id of more than 512 bytes");
    return TICKET;
}

static enum verdict judge(const struct scan *scan, const char *name, struct note *note)
{
    const struct target *t = scan->target;
    enum verdict verdict;

    if (!ticket_id_valid(name))
        return refuse(note, "is not named like a ticket");
    verdict = read_file(scan, name, note);
    if (verdict == TICKET)
        verdict = parse_note(note);
    if (verdict != TICKET)
        return verdict;
    if (strcmp(note->namespace_name, scan->namespace_name) == 0)
        return TICKET;
    for (size_t i = 0; i < t->n_namespaces; i++)
        if (strcmp(note->namespace_name, t->namespaces[i]) == 0)
            return NOT_OURS;
    return refuse(note, "names a namespace that the target does not watch");
}

/* --- the whole --- */

/* What the namespace followed because of the file, or NULL. */
static const struct ticket *followed(const struct scan *scan, const char *name)
{
    const struct ticket *t = ticket_set_find(scan->before, name);

    return t && t->spooled ? t : NULL;
}

/* Each complaint once, though every namespace of the target looks at every file. */
static bool complains(const struct scan *scan)
{
    return strcmp(scan->target->namespaces[0], scan->namespace_name) == 0;
}

static void add_refusal(struct scan *scan, const char *name, const char *reason)
{
    struct spool *found = &scan->found;

    if (!complains(scan))
        return;
    found->refused++;
    if (found->n_refusals < TICKET_REFUSALS_MAX)
        scan->refusals[found->n_refusals++] = (struct ticket_refusal){name, reason};
}

static int add_file(struct scan *scan, const char *id, const char *draft_id)
{
    struct spool_file *file = &scan->files[scan->found.n_files++];

    file->id = id;
    file->draft_id = *draft_id ? arena_strdup(scan->arena, draft_id) : "";
    return file->draft_id ? 0 : -1;
}

static int judge_all(struct scan *scan, struct err *err)
{
    struct note note;

    scan->files = arena_calloc(scan->arena, scan->n_names + 1, sizeof(*scan->files));
    scan->refusals = arena_calloc(scan->arena, TICKET_REFUSALS_MAX, sizeof(*scan->refusals));
    if (!scan->files || !scan->refusals)
        return err_nomem(err, "the tickets of ticket_dir");
    for (size_t i = 0; i < scan->n_names; i++) {
        switch (judge(scan, scan->names[i], &note)) {
        case TICKET:
            if (add_file(scan, scan->names[i], note.draft_id) < 0)
                return err_nomem(err, "the tickets of ticket_dir");
            break;
        case REFUSED:
            add_refusal(scan, scan->names[i], note.reason);
            break;
        case NO_ACCESS:
            return err_set(err, ERR_IO, "file \"%s\" of ticket_dir \"%s\": %s", scan->names[i],
                           scan->target->ticket_dir, strerror(errno));
        case NOT_YET: /* one that is written anew is no new one: it may have ended already */
            if (followed(scan, scan->names[i]) && add_file(scan, scan->names[i], "") < 0)
                return err_nomem(err, "the tickets of ticket_dir");
            break;
        case NOT_OURS:
        case GONE:
            break;
        }
    }
    if (scan->too_many)
        add_refusal(scan, ".", "has more than 100000 entries: the others are not looked at");
    return 0;
}

int spool_scan(const struct target *target, const char *namespace_name,
               const struct ticket_set *before, int64_t now_unix_s, struct arena *arena,
               struct spool *ret, struct err *err)
{
    CLEANUP(scan_release)
    struct scan scan = {
        .target = target,
        .namespace_name = namespace_name,
        .before = before,
        .now_unix_s = now_unix_s,
        .arena = arena,
        .dir = open(target->ticket_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };

    if (scan.dir < 0)
        return err_set(err, ERR_IO, "ticket_dir \"%s\": %s", target->ticket_dir, strerror(errno));
    if (list_names(&scan, err) < 0)
        return -1;
    if (scan.too_many && add_names_of(&scan) < 0)
        return err_nomem(err, "the tickets of ticket_dir");
    sort_names(&scan);
    if (judge_all(&scan, err) < 0)
        return -1;
    *ret = scan.found;
    ret->files = scan.files;
    ret->refusals = scan.refusals;
    return 0;
}

int spool_as_before(const struct ticket_set *before, struct arena *arena, struct spool *ret,
                    struct err *err)
{
    size_t n = before ? before->n_items : 0;
    struct spool_file *files = arena_calloc(arena, n + 1, sizeof(*files));

    *ret = (struct spool){.files = files};
    if (!files)
        return err_nomem(err, "the tickets of ticket_dir");
    for (size_t i = 0; i < n; i++)
        if (before->items[i].spooled)
            files[ret->n_files++] =
                (struct spool_file){before->items[i].id, before->items[i].draft_id};
    if (before) { /* nothing was refused now, but what was said then is not news later */
        ret->refusals = before->refusals;
        ret->n_refusals = before->n_refusals;
    }
    return 0;
}

int spool_remove(const char *dir, const char *id, struct err *err)
{
    CLEANUP(fdp) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || (unlinkat(fd, id, 0) < 0 && errno != ENOENT))
        return err_set(err, ERR_IO, "cannot remove \"%s\" from ticket_dir \"%s\": %s", id, dir,
                       strerror(errno));
    return 0;
}
