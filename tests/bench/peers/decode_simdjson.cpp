// The same fields with simdjson's on-demand parser. A peer in the comparison; its arguments are
// those of bench_decode. Members are asked for without regard to their order; the parser starts
// each search where the last one ended, which is why they are asked for in the order of the pages.
#include <cstring>
#include <string_view>

#include <simdjson.h>

#include "fields.h"
#include "pages.h"

using namespace simdjson;

namespace
{

field_text as_text(std::string_view s)
{
    return {s.data(), s.size()};
}

template <typename T> field_text text_of(simdjson_result<T> v)
{
    std::string_view s;

    if (v.get_string().get(s))
        s = "";
    return as_text(s);
}

template <typename T> int64_t number_of(simdjson_result<T> v)
{
    int64_t n;

    return v.get_int64().get(n) ? -1 : n;
}

void read_jobs(ondemand::object jobs, fields &f)
{
    static const char *const states[] = {"starting",  "running",  "cancelling",
                                         "cancelled", "finished", "failed"};

    for (size_t i = 0; i < 6; i++)
        f.numbers[i] = number_of(jobs[states[i]]);
}

void read_spec(simdjson_result<ondemand::value> v, double &cpu, field_text &memory)
{
    ondemand::object spec;

    if (v.get_object().get(spec))
        return;
    if (spec["cpu"].get_double().get(cpu))
        cpu = -1;
    memory = text_of(spec["memory"]);
}

void read_basic(ondemand::object basic, fields &f)
{
    f.numbers[8] = number_of(basic["parallelism"]);
    read_spec(basic["jobmanagerResourceSettingSpec"], f.cpus[0], f.more[4]);
    read_spec(basic["taskmanagerResourceSettingSpec"], f.cpus[1], f.more[5]);
}

void read_setting(ondemand::object setting, bool batch, fields &f)
{
    ondemand::object inner;

    if (batch)
        f.numbers[9] = number_of(setting["maxSlot"]);
    else
        f.more[3] = text_of(setting["resourceSettingMode"]);
    if (!setting["basicResourceSetting"].get_object().get(inner))
        read_basic(inner, f);
    else if (!setting["expertResourceSetting"].get_object().get(inner))
        read_spec(inner["jobmanagerResourceSettingSpec"], f.cpus[0], f.more[4]);
}

void read_one(ondemand::object v, fields &f)
{
    ondemand::object inner;
    bool changed;

    f.texts[0] = text_of(v["deploymentId"]);
    f.texts[1] = text_of(v["name"]);
    f.texts[2] = text_of(v["engineVersion"]);
    f.more[1] = text_of(v["executionMode"]);
    if (!v["deploymentTarget"].get_object().get(inner)) {
        f.more[2] = text_of(inner["mode"]);
        f.texts[3] = text_of(inner["name"]);
    }
    if (!v["artifact"].get_object().get(inner))
        f.more[0] = text_of(inner["kind"]);
    if (!v["jobSummary"].get_object().get(inner))
        read_jobs(inner, f);
    f.numbers[10] = v["deploymentHasChanged"].get_bool().get(changed) ? -1 : changed;
    f.texts[4] = text_of(v["referencedDeploymentDraftId"]);
    f.numbers[6] = number_of(v["createdAt"]);
    f.numbers[7] = number_of(v["modifiedAt"]);
    // As in the pages: a deployment has the setting of its mode.
    bool batch = f.more[1].len == 5 && std::memcmp(f.more[1].ptr, "BATCH", 5) == 0;
    if (!v[batch ? "batchResourceSetting" : "streamingResourceSetting"].get_object().get(inner))
        read_setting(inner, batch, f);
}

void decode(const pages *pages, int want_sum, found *found)
{
    static ondemand::parser parser;
    static volatile size_t sink;

    *found = {0, FIELDS_SUM_START, 0};
    for (size_t i = 0; i < pages->n; i++) {
        ondemand::document root;
        ondemand::array data;
        bool success = false;

        if (parser.iterate(pages->bodies[i], pages->lens[i], pages->lens[i] + PAGES_PADDING)
                .get(root) ||
            root["success"].get_bool().get(success) || !success ||
            root["data"].get_array().get(data))
            die("simdjson: no page");
        for (auto element : data) {
            ondemand::object v;
            fields f{};

            if (element.get_object().get(v))
                die("simdjson: no object");
            f.numbers[8] = f.numbers[9] = -1;
            f.cpus[0] = f.cpus[1] = -1;
            read_one(v, f);
            found->objects++;
            sink = sink + f.texts[0].len + f.more[0].len + f.more[5].len + (size_t)f.numbers[10];
            if (want_sum)
                found->sum = fields_sum(found->sum, &f);
        }
    }
}

} // namespace

int main(int argc, char **argv)
{
    return decode_main(argc, argv, decode);
}
