/* The store contract on a real MariaDB, to which the fake of the unit tests is held. */
#include "bin/daemon.h"
#include "tests/contract/store_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct daemon service; /* connects as the administrator: rights are tested elsewhere */
static struct store_contract contract;

static int connect_once(void **state)
{
    const char *config = getenv("HONGBAO_TEST_CONFIG");
    assert_non_null(config);
    assert_int_equal(daemon_load(&service, "test", config), ERR_OK);
    assert_int_equal(daemon_connect(&service, ""), ERR_OK);
    contract = (struct store_contract){.a = service.runtime.store_open(&service),
                                       .b = service.runtime.store_open(&service),
                                       .rng = &rng_system,
                                       .mono_us = clock_system.mono_us(NULL)};
    *state = &contract;
    return contract.a == NULL || contract.b == NULL;
}

static int disconnect(void **state)
{
    (void)state;
    contract.a->ops->close(contract.a);
    contract.b->ops->close(contract.b);
    return 0;
}

static int begin(void **state)
{
    *state = &contract;
    store_contract_begin(&contract);
    return 0;
}

int main(void)
{
#define CONTRACT(name) {"store_contract_" #name, store_contract_##name, begin, NULL, NULL},
    const struct CMUnitTest tests[] = {STORE_CONTRACT_TESTS(CONTRACT)};
    return cmocka_run_group_tests(tests, connect_once, disconnect);
}
