"""Every state of the page, in both languages, on a phone by day and by night, and on a desk: nothing is cut off,
covered, hard to read or hard to hit, nothing breaks WCAG 2 A or AA, and the console stays empty."""
import gallery
import pytest
from scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("language", gallery.LANGUAGES)
def test_scene(people, take, name, language):
    assert gallery.show(people, take(), name, language) == []
