"""Send generated requests and collect what is wrong, with all that is needed to repeat it."""
import collections

import jsonschema

from generator import generate
from judge import Wrong, check, curl
from wire import Broken, Wire
from world import World

POOLS = ("send", "grab", "open", "query")


def describe(seed, number, request, answer, why, port):
    shown = request.bytes()[:3000].decode("latin-1")
    return (f"request {number} of seed {seed}: {request.name}, {', '.join(request.changes) or 'valid'}: {why}\n"
            f"--- request\n{shown}\n--- answer\n{answer}\n"
            f"--- again: tests/fuzz_api/run --seed {seed} --only {number}\n{curl(request, port)}")


def run_requests(service, seed, numbers, seen=None):
    """Send these requests of the seed. Return a description of each wrong answer. seen counts (operation, outcome)."""
    seen = seen if seen is not None else collections.Counter()
    world, wire, failures = World(service), Wire(service.port), []
    workers = {pool: service.workers(pool) for pool in POOLS}
    for number in numbers:
        request, answer = generate(seed, number, world), None
        try:
            answer = wire.exchange(request.bytes(), request.method)
            check(request, answer)
        except (Wrong, Broken, jsonschema.ValidationError) as error:
            why = error.message if isinstance(error, jsonschema.ValidationError) else str(error)
            failures.append(describe(seed, number, request, answer, why, service.port))
            wire.close()
        seen[request.name, answer.status if answer else 0] += 1
    wire.close()
    world.close()
    if {pool: service.workers(pool) for pool in POOLS} != workers:
        failures.append(f"seed {seed}: a worker process died")
    wrong = service.audit()
    return failures + ([f"seed {seed}: audit: {wrong}"] if wrong else [])
