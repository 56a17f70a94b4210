"""Commands that take their wheels from another channel, a mirror or a folder."""

from __future__ import annotations

import pytest

from tests.remedies.test_managers import remedy
from xpu_doctor.tables.releases import NIGHTLY, STABLE, TEST
from xpu_doctor.treatment.plan import Step
from xpu_doctor.treatment.sources import Source, SourceError, from_source

MIRROR = "http://127.0.0.1:8080/whl/xpu"


def of(manager: str) -> Step:
    return Step("torch-cpu-wheel", "torch", remedy(manager))


def words(step: Step) -> list[str]:
    return [word for command in step.remedy.steps for word in command.argv]


@pytest.mark.parametrize("manager", ["pip", "uv", "uv-project", "poetry", "pdm", "pipenv"])
def test_a_mirror_stands_for_the_index_everywhere(manager: str) -> None:
    changed = from_source(of(manager), Source(index=MIRROR))
    assert STABLE not in " ".join(words(changed))
    assert MIRROR in " ".join(words(changed)) and MIRROR in " ".join(changed.remedy.commands)


@pytest.mark.parametrize("manager", ["pip", "uv"])
def test_a_folder_stands_for_every_index(manager: str) -> None:
    changed = from_source(of(manager), Source(folder="/media/stick/wheels of torch"))
    assert not [word for word in words(changed) if "https://" in word or word in ("--index-url", "--default-index")]
    for command in changed.remedy.steps:
        if "--find-links" in command.argv and "torch-xpu-wheels" not in command.argv:
            place = command.argv.index("--find-links")
            assert command.argv[place - 1 : place + 2] == ("--no-index", "--find-links", "/media/stick/wheels of torch")
    assert "'/media/stick/wheels of torch'" in " ".join(changed.remedy.commands)


@pytest.mark.parametrize("manager", ["poetry", "pdm", "uv-project"])
def test_a_project_needs_an_index(manager: str) -> None:
    with pytest.raises(SourceError, match="--index-url"):
        from_source(of(manager), Source(folder="/wheels"))


@pytest.mark.parametrize(("manager", "option"), [("pip", "--pre"), ("uv", "--prerelease")])
@pytest.mark.parametrize(("channel", "index"), [("nightly", NIGHTLY), ("test", TEST)])
def test_another_channel_has_its_own_versions(manager: str, option: str, channel: str, index: str) -> None:
    changed = from_source(of(manager), Source(channel=channel))
    found = words(changed)
    assert index in found and option in found and "torch" in found
    assert not [word for word in found if word.startswith("torch==")]


def test_what_is_asked_for_anyway_changes_nothing() -> None:
    assert from_source(of("pip"), Source()) is not None and from_source(of("pip"), Source()) == of("pip")


def test_what_a_further_call_has_to_repeat() -> None:
    assert Source().options == ()
    assert Source("nightly").options == ("--channel", "nightly")
    assert Source(folder="/media/stick").options == ("--find-links", "/media/stick")
    assert Source(index=MIRROR).options == ("--index-url", MIRROR)
    assert Source(index="https://kim:secret@example.org").options == ("--index-url", "URL")
