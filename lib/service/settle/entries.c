/* Part after part of the accounts, since no index finds the few transfers without an entry. */
#include "lib/service/settle/entries.h"

#define ACCOUNTS_MAX 1000

enum err entries_step(struct store *store, char after[USER_SIZE], bool *again)
{
    enum err err = store->ops->entries_add(store, after, ACCOUNTS_MAX, again);
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err;
}
