/* Redis protocol (RESP2) over a blocking Unix socket, with one line buffer per connection. */
#include "tests/bench/peers/redis.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 4096

struct redis {
    FILE *in, *out;
    char line[TEXT_MAX];
};

struct redis *redis_open(const char *socket_path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct redis *r = calloc(1, sizeof *r);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r == NULL || fd < 0 || strlen(socket_path) >= sizeof to.sun_path)
        goto failed;
    strcpy(to.sun_path, socket_path);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        goto failed;
    r->in = fdopen(fd, "r");
    r->out = fdopen(dup(fd), "w");
    if (r->in != NULL && r->out != NULL)
        return r;
failed:
    if (fd >= 0)
        close(fd);
    free(r);
    return NULL;
}

void redis_close(struct redis *r)
{
    if (r == NULL)
        return;
    fclose(r->in);
    fclose(r->out);
    free(r);
}

bool redis_command(struct redis *r, const char *const *words, size_t n)
{
    fprintf(r->out, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++)
        fprintf(r->out, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
    return fflush(r->out) == 0;
}

static bool read_line(struct redis *r)
{
    if (fgets(r->line, sizeof r->line, r->in) == NULL)
        return false;
    r->line[strcspn(r->line, "\r\n")] = '\0';
    return true;
}

bool redis_reply(struct redis *r, char *type, const char **text)
{
    if (!read_line(r))
        return false;
    *type = r->line[0];
    *text = r->line + 1;
    if (*type != '$')
        return true;
    if (r->line[1] == '-')
        *text = NULL;
    else if (!read_line(r)) /* none of our strings contains a line end */
        return false;
    else
        *text = r->line;
    return true;
}
