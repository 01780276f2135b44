"""Every state of the page, in both languages, on a phone by day and by night, and on a desk: nothing is cut off,
covered, hard to read or hard to hit, nothing breaks WCAG 2 A or AA, the console stays empty, and the markup is valid."""
import subprocess

import gallery
import pytest
from page_checks import MODULES
from scenes import SCENES


@pytest.fixture(scope="module")
def markup(tmp_path_factory):
    """What the scenes leave for the last test of this file."""
    return tmp_path_factory.mktemp("markup")


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("language", gallery.LANGUAGES)
def test_scene(people, take, markup, name, language):
    assert gallery.show(people, take(), name, language, markup=markup) == []


def test_markup_of_all_scenes(markup):
    pages = sorted(markup.glob("*.html"))
    assert pages, "runs after the scenes"
    done = subprocess.run([MODULES / ".bin/html-validate", "--config", MODULES.parent / "htmlvalidate-scenes.json",
                           *pages], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
