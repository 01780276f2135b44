/* Configuration and secret files. The first byte chooses. */
#include "lib/base/config.h"
#include "lib/wire/token.h"
#include "tests/fuzz/fuzz.h"
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void write_file(const uint8_t *data, size_t size)
{
    if (path[0] == '\0')
        snprintf(path, sizeof path, "/tmp/hb-fuzz-%d", (int)getpid());
    FILE *f = fopen(path, "w");
    FUZZ_CHECK(f != NULL && fwrite(data, 1, size, f) == size && fclose(f) == 0);
    FUZZ_CHECK(chmod(path, 0400) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config c;
    struct secret_pair pair;
    struct buf message;
    if (size == 0 || size > 8192)
        return 0;
    write_file(data + 1, size - 1);
    buf_init(&message, 1024);
    if (data[0] % 2 == 0) {
        enum err err = config_load(&c, path, &message);
        FUZZ_CHECK(err == ERR_OK || err == ERR_INVALID_REQUEST);
        FUZZ_CHECK(err == ERR_OK || message.len > 0);
        FUZZ_CHECK(err != ERR_OK ||
                   (c.shares_max >= 1 && c.send.processes >= 1 && c.send.processes <= 64));
    } else if (secret_load(&pair, path, &message) == ERR_OK) {
        FUZZ_CHECK((pair.n == 1 || pair.n == 2) && size - 1 >= 64 * pair.n);
    } else {
        FUZZ_CHECK(message.len > 0);
    }
    buf_free(&message);
    unlink(path);
    return 0;
}
