"""Which changes there are, which go together, and in what order they are made."""
from harmless import (absolute, chunked, damage, encoded, escapes, good_type, head, header, none_match, other_token, preview, request_id,
                      spaces)
from refused import (body_for_none, content_encoding, content_type, deep, key, key_twice, long_header, long_target, method, no_host,
                     no_json, no_length, no_object, query, token, too_large, wrong_id, wrong_member, wrong_path)

# In this order: a change that writes the body or the target comes after those of its parts.
ORDER = [method, wrong_member, no_object, deep, no_json, spaces, escapes, damage, too_large, body_for_none, content_type, content_encoding,
         key, key_twice, token, preview, other_token, no_host, long_header, wrong_id, wrong_path, query, encoded, long_target, no_length,
         chunked, good_type, header, request_id, none_match, head, absolute]
HARMLESS = {spaces, escapes, damage, good_type, header, request_id, none_match, chunked, head, absolute, encoded, preview, other_token}
# At most one of each set is made.
EXCLUSIVE = [{wrong_member, no_object, deep, no_json, spaces, escapes, damage, body_for_none}, {content_type, good_type},
             {token, preview, other_token}, {key, key_twice}, {method, head, no_length, chunked}, {no_host, absolute},
             {content_encoding, header}, {query, encoded}]


def fits(chosen, change):
    return change not in chosen and not any(change in group and chosen & group for group in EXCLUSIVE)


def apply(rng, request, world, refusals):
    """Make as many changes as there are refusals; refusals[i]: one that must be refused."""
    chosen = set()
    for refuse in refusals:
        free = [change for change in ORDER if (change not in HARMLESS) == refuse and fits(chosen, change)]
        chosen.add(rng.choice(free))
    outcomes = set()
    for change in sorted(chosen, key=ORDER.index):
        request.changes.append(change.__name__)
        allowed = change(rng, request, world)
        if allowed is None:
            request.changes.pop()
        elif change in HARMLESS:
            request.allowed |= allowed
        else:
            outcomes |= allowed
    if outcomes:
        request.refused = True
        outcomes |= {"not_found"} if request.name == "metrics" else set()
        request.allowed = outcomes | request.allowed & {"invalid_json", "body_too_large"}  # of a harmless change
