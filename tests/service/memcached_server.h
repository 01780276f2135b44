/* A memcached of the test's own: started, stopped in mid-sentence, killed. */
#ifndef HONGBAO_TESTS_MEMCACHED_SERVER_H
#define HONGBAO_TESTS_MEMCACHED_SERVER_H

#include <sys/types.h>

struct memcached_server {
    char directory[64], socket[96];
    pid_t pid;
};
/* Asserts (cmocka) that it answers. */
void memcached_server_start(struct memcached_server *s);
void memcached_server_kill(struct memcached_server *s);
/* Starts it again, empty, on the same socket. */
void memcached_server_again(struct memcached_server *s);
/* Kills it and removes its directory. */
void memcached_server_end(struct memcached_server *s);

#endif
