"""Notebooks under test: each runs on a cloud of its own, which ends with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbval.plugin import IPyNbFile

OUTPUT_SECONDS = 30
"""How long a cell that has finished may take to show its output: nbval's 5 s are too few for a busy machine."""


class Notebook(IPyNbFile):
    """A notebook whose kernel finds no cloud, and starts one.

    Attributes:
        state: the state directory of that cloud, made for it; None shares the one that the environment names.
    """

    state: Path | None

    def collect(self) -> Iterator[Any]:
        for cell in super().collect():
            cell.output_timeout = OUTPUT_SECONDS
            yield cell

    def setup(self) -> None:
        from tests.support.attached_cloud import start_ahead

        if self.state is not None:
            self.state.mkdir()
        with self._own_cloud():
            start_ahead()
            super().setup()

    def teardown(self) -> None:
        super().teardown()
        if self.state is not None:
            from labkit.lab import cloud_process

            with self._own_cloud():
                cloud_process.stop()
            shutil.rmtree(self.state, ignore_errors=True)

    @contextmanager
    def _own_cloud(self) -> Iterator[None]:
        before = os.environ["LABKIT_STATE_DIR"]
        if self.state is not None:
            os.environ["LABKIT_STATE_DIR"] = str(self.state)
        try:
            yield
        finally:
            os.environ["LABKIT_STATE_DIR"] = before
