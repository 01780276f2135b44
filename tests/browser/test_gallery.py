"""Every state of the page, in both languages, on a phone by day and by night, and on a desk: nothing is cut off,
covered, hard to read or hard to hit, nothing breaks WCAG 2 A or AA, the markup is right, and the console stays
empty."""
import concurrent.futures

import gallery
import pytest
from markup import Markup
from scenes import SCENES


@pytest.fixture(scope="module")
def markup():
    made = Markup()
    yield made
    made.close()


@pytest.mark.parametrize("name", SCENES)
def test_scene(people, take, markup, name):
    """In both languages at a time: each waits for its own browser."""
    shows = [(people, take(), name, language) for language in gallery.LANGUAGES]
    with concurrent.futures.ThreadPoolExecutor(len(shows)) as pool:
        faults = list(pool.map(lambda show: gallery.show(*show, markup=markup), shows))
    assert sum(faults, []) == []
