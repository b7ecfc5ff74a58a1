/*
 * What the shapes of all kinds of records have in common: the root of a reply, the text of an
 * artifact, and the words to write a shape with.
 */
#ifndef RECORD_SHAPE_H
#define RECORD_SHAPE_H

#include "json_scan.h"

#define MEMBER(text, number, ...)                                                  \
    {                                                                              \
        .key = (text), .key_len = sizeof(text) - 1, .value = (number), __VA_ARGS__ \
    }
#define SHAPE(list)                                     \
    {                                                   \
        .members = (list), .n_members = ARRAY_LEN(list) \
    }

/* Values of the root. */
enum {
    REPLY_SUCCESS,
    REPLY_TOTAL_SIZE,
    REPLY_DATA,
    REPLY_REFUSAL_FIRST, /* what refusal.c looks for */
    REPLY_REFUSAL_CODE = REPLY_REFUSAL_FIRST,
    REPLY_REFUSAL_CODE_2,
    REPLY_REFUSAL_CODE_3,
    REPLY_REFUSAL_MESSAGE,
    REPLY_REFUSAL_MESSAGE_2,
    REPLY_REFUSAL_MESSAGE_3,
    REPLY_REFUSAL_REQUEST_ID,
    REPLY_REFUSAL_REQUEST_ID_2,
    REPLY_REFUSAL_REQUEST_ID_3,
    REPLY_VALUES, /* those of a record are counted on from here */
};

/* The members of the root, where data is an array of records of this shape. */
#define REPLY_MEMBERS(record_shape)                                                          \
    MEMBER("success", REPLY_SUCCESS), MEMBER("totalSize", REPLY_TOTAL_SIZE),                 \
        MEMBER("data", REPLY_DATA, .how = JSON_RECORDS, .inside = record_shape),             \
        MEMBER("Code", REPLY_REFUSAL_CODE), MEMBER("code", REPLY_REFUSAL_CODE_2),            \
        MEMBER("errorCode", REPLY_REFUSAL_CODE_3), MEMBER("Message", REPLY_REFUSAL_MESSAGE), \
        MEMBER("message", REPLY_REFUSAL_MESSAGE_2),                                          \
        MEMBER("errorMessage", REPLY_REFUSAL_MESSAGE_3),                                     \
        MEMBER("RequestId", REPLY_REFUSAL_REQUEST_ID),                                       \
        MEMBER("requestId", REPLY_REFUSAL_REQUEST_ID_2),                                     \
        MEMBER("requestid", REPLY_REFUSAL_REQUEST_ID_3)

/*
 * What of an artifact decides what runs, as hashes: a deployment and the draft it was made of have
 * the same text there. Lists of dependencies are not compared.
 */
enum {
    CONTENT_SQL_SCRIPT,
    CONTENT_JAR_URI,
    CONTENT_JAR_CLASS,
    CONTENT_JAR_ARGS,
    CONTENT_PYTHON_URI,
    CONTENT_PYTHON_MODULE,
    CONTENT_PYTHON_ARGS,
    CONTENT_CDC_YAML,
    CONTENT_VALUES,
};
/* Of an artifact, as values counted from its first: itself, its kind, the four objects in it. */
enum {
    ARTIFACT_SELF,
    ARTIFACT_KIND,
    ARTIFACT_SQL,
    ARTIFACT_JAR,
    ARTIFACT_PYTHON,
    ARTIFACT_CDC,
    ARTIFACT_VALUES,
};

/* Static tables for the shape prefix##_shape of an artifact with its content. */
#define ARTIFACT_SHAPE(prefix, first, content)                                           \
    static const struct json_member prefix##_sql_members[] = {                           \
        MEMBER("sqlScript", (content) + CONTENT_SQL_SCRIPT, .how = JSON_HASHED),         \
    };                                                                                   \
    static const struct json_shape prefix##_sql = SHAPE(prefix##_sql_members);           \
    static const struct json_member prefix##_jar_members[] = {                           \
        MEMBER("jarUri", (content) + CONTENT_JAR_URI, .how = JSON_HASHED),               \
        MEMBER("entryClass", (content) + CONTENT_JAR_CLASS, .how = JSON_HASHED),         \
        MEMBER("mainArgs", (content) + CONTENT_JAR_ARGS, .how = JSON_HASHED),            \
    };                                                                                   \
    static const struct json_shape prefix##_jar = SHAPE(prefix##_jar_members);           \
    static const struct json_member prefix##_python_members[] = {                        \
        MEMBER("pythonArtifactUri", (content) + CONTENT_PYTHON_URI, .how = JSON_HASHED), \
        MEMBER("entryModule", (content) + CONTENT_PYTHON_MODULE, .how = JSON_HASHED),    \
        MEMBER("mainArgs", (content) + CONTENT_PYTHON_ARGS, .how = JSON_HASHED),         \
    };                                                                                   \
    static const struct json_shape prefix##_python = SHAPE(prefix##_python_members);     \
    static const struct json_member prefix##_cdc_members[] = {                           \
        MEMBER("cdcYaml", (content) + CONTENT_CDC_YAML, .how = JSON_HASHED),             \
    };                                                                                   \
    static const struct json_shape prefix##_cdc = SHAPE(prefix##_cdc_members);           \
    static const struct json_member prefix##_members[] = {                               \
        MEMBER("kind", (first) + ARTIFACT_KIND),                                         \
        MEMBER("sqlArtifact", (first) + ARTIFACT_SQL, .inside = &prefix##_sql),          \
        MEMBER("jarArtifact", (first) + ARTIFACT_JAR, .inside = &prefix##_jar),          \
        MEMBER("pythonArtifact", (first) + ARTIFACT_PYTHON, .inside = &prefix##_python), \
        MEMBER("cdcYamlArtifact", (first) + ARTIFACT_CDC, .inside = &prefix##_cdc),      \
    };                                                                                   \
    static const struct json_shape prefix##_shape = SHAPE(prefix##_members)

#endif
