"""The files in which a cloud is found again: whatever is in them, they are used or taken for absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.clock import MOST_SECONDS
from labkit.lab import cloud_process
from labkit.local.instance import noted_offset
from labkit.local.settings import CloudSettings

TEXT = st.text(
    st.characters(), max_size=30
)  # with the halves of surrogate pairs, as JSON may hold them
ODD_TEXT = st.tuples(st.sampled_from([f"{'A' * 20}{{}}", "{}", f"{{}}{'7' * 12}"]), TEXT).map(
    lambda both: both[0].format(both[1])
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD_TEXT,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@given(data=st.data())
def test_a_changed_state_file_is_usable_or_absent(data: st.DataObject, state: Path) -> None:
    parts = json.loads(CloudSettings.new(4566, state).to_json())
    names = st.sampled_from([*parts, "surprise"])
    parts |= data.draw(st.dictionaries(names, VALUES, max_size=3))
    for name in data.draw(st.lists(st.sampled_from(sorted(parts)), max_size=1)):
        del parts[name]
    told = data.draw(st.sampled_from([{"settings": parts}, parts, [parts]]))
    (state / "cloud.json").write_text(json.dumps(told))
    found = cloud_process.read_state(state)[0]
    if found is not None:
        carried = [text for name, text in found.announcement().items() if name != "endpoint"]
        assert all(text.isascii() and text.isprintable() and " " not in text for text in carried)
        assert CloudSettings.from_json(found.to_json()) == found


@given(content=st.binary(max_size=60))
def test_bytes_that_mean_nothing_are_absent(content: bytes, state: Path) -> None:
    for name in ("cloud.json", "clock"):
        (state / name).write_bytes(content)
    assert cloud_process.read_state(state)[0] is None
    offset = noted_offset(str(state))
    assert offset is None or abs(offset) <= MOST_SECONDS


def test_what_a_cloud_wrote_is_found(state: Path) -> None:
    settings = CloudSettings.new(4566, state / "work")
    (state / "cloud.json").write_text(json.dumps({"settings": json.loads(settings.to_json())}))
    assert cloud_process.read_state(state)[0] == settings


@pytest.mark.parametrize("text", ["nan", "inf", "-1e9", "1e300", "x", ""])
def test_a_clock_file_with_no_time_in_it_is_absent(state: Path, text: str) -> None:
    (state / "clock").write_text(f"0.0\n{text}\n")
    assert noted_offset(str(state)) is None
