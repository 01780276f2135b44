/* Keys of cache items. A key begins with the id of its envelope, because the part before the first
 * '/' chooses the memcached server: all items of an envelope are on one server. */
#ifndef HONGBAO_WIRE_ITEM_KEY_H
#define HONGBAO_WIRE_ITEM_KEY_H

#include "lib/base/id.h"

#define ITEM_KEY_SIZE 192

enum item_kind {
    ITEM_KEY_GATE,     /* g: gate_value.h */
    ITEM_KEY_HOLD,     /* h: any value; present while one process looks after a gate at zero */
    ITEM_KEY_UNKNOWN,  /* x: any value; present while the primary is known not to have the id */
    ITEM_KEY_VERSION,  /* v: version_value.h */
    ITEM_KEY_ENVELOPE, /* r: envelope_value.h */
};

/* Write the key "<id hex>/<kind letter>/<generation hex>" of envelope id to out, which holds
 * ITEM_KEY_SIZE bytes. */
void item_key(char *out, enum item_kind kind, const uint8_t generation[16], const struct id *id);
/* Write the key "<id hex>/u/<generation hex>/<user>" of the user item (user_value.h) of user and
 * envelope id to out, which holds ITEM_KEY_SIZE bytes. user is a valid user id. */
void item_key_user(char *out, const uint8_t generation[16], const struct id *id, const char *user);

#endif
