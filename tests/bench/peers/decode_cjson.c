/*
 * The same fields with cJSON: a tree of the whole page, read and thrown away. A peer in the
 * comparison; its arguments are those of bench_decode.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fields.h"
#include "pages.h"

static const cJSON *get(const cJSON *v, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(v, key);
}

static struct field_text text_of(const cJSON *v)
{
    const char *s = cJSON_IsString(v) ? v->valuestring : "";

    return (struct field_text){s, strlen(s)};
}

static int64_t number_of(const cJSON *v)
{
    return cJSON_IsNumber(v) ? (int64_t)v->valuedouble : -1;
}

static double cpu_of(const cJSON *spec)
{
    const cJSON *v = get(spec, "cpu");

    return cJSON_IsNumber(v) ? v->valuedouble : -1;
}

static void read_resources(const cJSON *v, struct fields *f)
{
    const cJSON *batch = get(v, "batchResourceSetting");
    const cJSON *setting = batch ? batch : get(v, "streamingResourceSetting");
    const cJSON *basic = get(setting, "basicResourceSetting");
    const cJSON *expert = get(setting, "expertResourceSetting");
    const cJSON *jobmanager = get(expert ? expert : basic, "jobmanagerResourceSettingSpec");
    const cJSON *taskmanager = get(basic, "taskmanagerResourceSettingSpec");

    f->numbers[8] = number_of(get(basic, "parallelism"));
    f->numbers[9] = batch ? number_of(get(batch, "maxSlot")) : -1;
    f->cpus[0] = cpu_of(jobmanager);
    f->cpus[1] = cpu_of(taskmanager);
    f->more[3] = text_of(get(setting, "resourceSettingMode"));
    f->more[4] = text_of(get(jobmanager, "memory"));
    f->more[5] = text_of(get(taskmanager, "memory"));
}

static void read_one(const cJSON *v, struct fields *f)
{
    static const char *const states[] = {"starting",  "running",  "cancelling",
                                         "cancelled", "finished", "failed"};
    const cJSON *target = get(v, "deploymentTarget");
    const cJSON *jobs = get(v, "jobSummary");
    const cJSON *changed = get(v, "deploymentHasChanged");

    f->texts[0] = text_of(get(v, "deploymentId"));
    f->texts[1] = text_of(get(v, "name"));
    f->texts[2] = text_of(get(v, "engineVersion"));
    f->texts[3] = text_of(get(target, "name"));
    f->texts[4] = text_of(get(v, "referencedDeploymentDraftId"));
    f->more[0] = text_of(get(get(v, "artifact"), "kind"));
    f->more[1] = text_of(get(v, "executionMode"));
    f->more[2] = text_of(get(target, "mode"));
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        f->numbers[i] = number_of(get(jobs, states[i]));
    f->numbers[6] = number_of(get(v, "createdAt"));
    f->numbers[7] = number_of(get(v, "modifiedAt"));
    f->numbers[10] = cJSON_IsBool(changed) ? cJSON_IsTrue(changed) : -1;
    read_resources(v, f);
}

static void decode(const struct pages *pages, int want_sum, struct found *found)
{
    static volatile size_t sink; /* keeps the reading from being thought away */

    *found = (struct found){.sum = FIELDS_SUM_START};
    for (size_t i = 0; i < pages->n; i++) {
        cJSON *root = cJSON_ParseWithLength(pages->bodies[i], pages->lens[i]);
        const cJSON *v;

        if (!root || !cJSON_IsTrue(get(root, "success")))
            die("cJSON: no page");
        cJSON_ArrayForEach(v, get(root, "data"))
        {
            struct fields f = {0};

            read_one(v, &f);
            found->objects++;
            sink += f.texts[0].len + f.more[0].len + f.more[5].len + (size_t)f.numbers[10];
            if (want_sum)
                found->sum = fields_sum(found->sum, &f);
        }
        cJSON_Delete(root);
    }
}

int main(int argc, char **argv)
{
    return decode_main(argc, argv, decode);
}
