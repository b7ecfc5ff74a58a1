/* Feeds files to a fuzz target, each in pieces of every size: for CTest, and to look at a crash. */
#include "fuzz.h"

static int replay(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char block[4096];
    size_t n;

    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    strbuf_addc(&text, '\0');
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        strbuf_add(&text, block, n);
    (void)fclose(f);
    if (!strbuf_ok(&text))
        return -1;
    for (int i = 0; i < FUZZ_PIECES; i++) {
        text.ptr[0] = (char)i;
        (void)LLVMFuzzerTestOneInput((const uint8_t *)text.ptr, text.len);
    }
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]) < 0)
            return 1;
    }
    (void)printf("%d inputs replayed\n", argc - 1);
    return 0;
}
