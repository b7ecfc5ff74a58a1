/*
 * A ticket for the exporter: a file named after it, the namespace on its first line, the draft on
 * its second. What the exporter would refuse is refused here, where somebody reads it.
 */
#include <string.h>

#include "base/utf8.h"
#include "complain.h"
#include "plane.h"
#include "spool_file.h"

enum { ID_MAX = 128 };

/* Letters, digits, '-' and '_', the first no sign; as the exporter wants it. */
static bool is_id(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t len = strlen(s);

    return len >= 1 && len <= ID_MAX && strchr(letters, s[0]) &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static bool is_line(const char *s)
{
    for (const char *c = s; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return *s && strlen(s) <= 1024 && utf8_valid(s, strlen(s));
}

static enum exit_code check(const struct plane *p, const struct options *options)
{
    if (!is_id(options->argument)) {
        complain("'%s' is no ticket id: up to %d letters, digits, '-' and '_'", options->argument,
                 ID_MAX);
        return CTL_USAGE;
    }
    if (options->draft && !is_line(options->draft)) {
        complain("--draft=%s: must be the id of a draft", options->draft);
        return CTL_USAGE;
    }
    if (p->target.ticket_dir && *p->target.ticket_dir)
        return CTL_DONE;
    complain("target '%s' has no ticket_dir, so the exporter watches no directory for tickets",
             p->target.name);
    tell("Set ticket_dir = \"/var/lib/aliyun_flink_exporter/tickets\" or the like in the target, "
         "add "
         "\"tickets\" to its collectors, and reload the exporter.");
    return CTL_FAILED;
}

enum exit_code run_ticket_track(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    enum exit_code code = plane_select(&p, options, false);
    struct err err = {0};

    if (code == CTL_DONE)
        code = check(&p, options);
    if (code != CTL_DONE)
        return code;
    strbuf_addf(&text, "%s\n", p.namespace_name);
    if (options->draft)
        strbuf_addf(&text, "%s\n", options->draft);
    if (!strbuf_ok(&text)) {
        complain("out of memory");
        return CTL_FAILED;
    }
    if (spool_file_put(p.target.ticket_dir, options->argument, text.ptr, text.len, &err) < 0) {
        complain("cannot put ticket '%s' into %s: %s", options->argument, p.target.ticket_dir,
                 err.msg);
        return CTL_FAILED;
    }
    if (!(p.target.collectors & 1u << COLLECTOR_TICKETS))
        tell("target '%s' does not have \"tickets\" among its collectors: the exporter will not "
             "look",
             p.target.name);
    return CTL_DONE;
}
