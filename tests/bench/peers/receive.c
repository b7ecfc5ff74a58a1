/*
 * libcurl alone: what receiving costs whoever does it. A peer in the comparison.
 *
 *   receive listing URL PAGES IN_FLIGHT CA gzip|identity
 *     For every line on standard input fetches URL?pageIndex=1..PAGES, several at a time over
 *     connections that are kept, throws the bytes away and prints how many they were.
 *   receive paced URL COUNT EVERY_MS gzip|identity
 *     Fetches URL COUNT times, one every EVERY_MS, and prints what each took, in seconds. What is
 *     compressed stays so: a reader's own work is not the question.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t discard(char *bytes, size_t size, size_t n, void *total)
{
    (void)bytes;
    *(size_t *)total += size * n;
    return size * n;
}

static CURL *handle(const char *ca, const char *coding, size_t *total)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        die("no memory");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, total);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    if (strcmp(coding, "gzip") == 0)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    return easy;
}

struct listing {
    CURLM *multi;
    const char *url;
    int pages, next, under_way;
};

static void start(struct listing *l, CURL *easy)
{
    char url[2048];

    if (l->next > l->pages)
        return;
    (void)snprintf(url, sizeof(url), "%s?pageIndex=%d&pageSize=100", l->url, l->next++);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_multi_add_handle(l->multi, easy);
    l->under_way++;
}

static void finish(struct listing *l)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(l->multi, &left))) {
        CURL *easy = message->easy_handle;

        if (message->msg != CURLMSG_DONE)
            continue;
        if (message->data.result != CURLE_OK)
            die(curl_easy_strerror(message->data.result));
        curl_multi_remove_handle(l->multi, easy);
        l->under_way--;
        start(l, easy);
    }
}

static void fetch_all(struct listing *l, CURL **easies, int in_flight)
{
    int running;

    l->next = 1;
    for (int i = 0; i < in_flight; i++)
        start(l, easies[i]);
    while (l->under_way > 0) {
        curl_multi_perform(l->multi, &running);
        finish(l);
        if (l->under_way > 0)
            curl_multi_poll(l->multi, NULL, 0, 1000, NULL);
    }
}

static int listing_main(char **argv)
{
    struct listing l = {.multi = curl_multi_init(), .url = argv[2], .pages = atoi(argv[3])};
    int in_flight = atoi(argv[4]);
    CURL **easies = calloc((size_t)in_flight, sizeof(*easies));
    size_t total = 0;
    char line[64];

    if (!easies || !l.multi)
        die("no memory");
    for (int i = 0; i < in_flight; i++)
        easies[i] = handle(argv[5], argv[6], &total);
    while (fgets(line, sizeof(line), stdin)) {
        total = 0;
        fetch_all(&l, easies, in_flight);
        printf("done %zu\n", total);
        (void)fflush(stdout);
    }
    return 0;
}

static int paced_main(char **argv)
{
    int count = atoi(argv[3]);
    double every = atof(argv[4]) / 1000, began = now();
    size_t total = 0;
    CURL *easy = handle(NULL, "identity", &total);
    struct curl_slist *headers = NULL;

    if (strcmp(argv[5], "gzip") == 0)
        headers = curl_slist_append(headers, "Accept-Encoding: gzip");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_URL, argv[2]);
    for (int i = 0; i < count; i++) {
        double wait = began + i * every - now(), sent;

        if (wait > 0)
            (void)poll(NULL, 0, (int)(wait * 1000));
        sent = now();
        if (curl_easy_perform(easy) != CURLE_OK)
            die("a scrape failed");
        printf("%.6f\n", now() - sent);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return 0;
}

int main(int argc, char **argv)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        die("curl_global_init");
    if (argc == 7 && strcmp(argv[1], "listing") == 0)
        return listing_main(argv);
    if (argc == 6 && strcmp(argv[1], "paced") == 0)
        return paced_main(argv);
    die("usage: receive listing URL PAGES IN_FLIGHT CA CODING | paced URL COUNT EVERY_MS CODING");
    return 2;
}
