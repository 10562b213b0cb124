"""What a learner has predicted and done, over all notebooks: one file, kept beside the cloud's state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labkit.whole_file import write_whole

FILE = "progress.json"
_LOCK_SECONDS = 5
_JUDGED = {bool, type(None)}
_DAMAGED = "The record of your answers was damaged, so it begins anew; the old one is {file}."
_UNKEPT = "This isn't kept ({reason}), so it doesn't count. The notebook goes on."


@dataclass
class Predicted:
    """What became of one question.

    Attributes:
        said: row → the learner's answer; see :data:`labkit.course.predictions.Said`.
        right: whether it was right; None before the answer was shown.
    """

    said: dict[str, str]
    right: bool | None = None


@dataclass
class Records:
    """All that is kept.

    Attributes:
        predictions: by the question's id.
        tasks: the numbers of the tasks whose check passed.
    """

    predictions: dict[str, Predicted] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)

    @property
    def score(self) -> str:
        """How many of the predictions that were answered were right: ``3 of 5``."""
        judged = [one.right for one in self.predictions.values() if one.right is not None]
        return f"{judged.count(True)} of {len(judged)}"

    @classmethod
    def from_data(cls, data: Any) -> Records:
        """Read the file's content; what a newer version keeps beyond that is left out.

        Raises:
            ValueError: it isn't that.
        """
        try:
            predictions = {
                str(name): Predicted({**one["said"]}, one.get("right"))
                for name, one in data["predictions"].items()
            }
            tasks = [*data["tasks"]]
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("no records") from error
        texts = [*tasks, *(text for one in predictions.values() for text in one.said.values())]
        judged = [one.right for one in predictions.values()]
        if not all(isinstance(text, str) for text in texts) or {*map(type, judged)} - _JUDGED:
            raise ValueError("no records")
        return cls(predictions, tasks)


class Progress:
    """One learner's records.

    Args:
        directory: where the file is.
        tell: says a sentence to the learner, when something can't be kept.
    """

    def __init__(self, directory: Path, tell: Callable[[str], object] = print) -> None:
        self._file = directory / FILE
        self._tell = tell

    def read(self) -> Records:
        """What is kept; nothing of a file that is missing or damaged."""
        return self._load() or Records()

    def predict(self, question: str, said: Mapping[str, str]) -> Predicted:
        """Keep an answer, and return what is kept. After the right one was shown, nothing changes any more."""

        def note(records: Records) -> None:
            before = records.predictions.get(question)
            if before is None or before.right is None:
                records.predictions[question] = Predicted(dict(said))

        return self._change(note).predictions[question]

    def judge(self, question: str, right: bool) -> Records:
        """Keep whether an answer was right, and return all that is kept; the first time counts."""

        def note(records: Records) -> None:
            predicted = records.predictions.get(question)
            if predicted is not None and predicted.right is None:
                predicted.right = right

        return self._change(note)

    def finish(self, task: str) -> None:
        """Keep that a task is done."""

        def note(records: Records) -> None:
            if task not in records.tasks:
                records.tasks.append(task)

        self._change(note)

    def _load(self) -> Records | None:
        try:
            return Records.from_data(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    def _change(self, note: Callable[[Records], None]) -> Records:
        """Read, change and write in one step, also when two notebooks do so at once; what there is now."""
        records = self.read()
        note(records)  # what is shown when nothing can be kept
        try:
            with FileLock(self._file.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                loaded = self._load()
                if loaded is None and self._file.exists():
                    aside = self._file.with_name(f"{FILE}.damaged")
                    self._file.replace(aside)
                    self._tell(_DAMAGED.format(file=aside))
                records = loaded or Records()
                note(records)
                write_whole(self._file, json.dumps(asdict(records)).encode())
        except Timeout:
            self._tell(_UNKEPT.format(reason="another notebook holds the file"))
        except OSError as error:
            self._tell(_UNKEPT.format(reason=error.strerror or type(error).__name__))
        return records
