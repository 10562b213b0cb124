"""Which notebook somebody means: ``04``, ``lab/04``, ``throttling``, ``lab/04-configure-the-cognito-authorizer``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from labkit.errors import CopyError
from labkit.folders import COPIES, MASTERS


def find_notebook(text: str, names: Sequence[str]) -> str:
    """The one notebook that is meant.

    Args:
        text: what somebody wrote.
        names: the notebooks, such as ``lab/04-….ipynb``.

    Raises:
        CopyError: none is, or several are.
    """
    parts = text.strip().lower().replace("\\", "/").removesuffix(".ipynb").strip("/").split("/")
    folders, wanted = [part for part in parts[:-1] if part not in (".", MASTERS, COPIES)], parts[-1]
    numbered = re.fullmatch(r"0*(\d+)([a-z]?)", wanted, re.A)
    number = f"{numbered[1]:0>2}{numbered[2]}-" if numbered else ""
    stems = {name.removesuffix(".ipynb"): name for name in names if name.endswith(".ipynb")}
    there = [
        stem for stem in stems if stem.split("/")[:-1][-len(folders) :] == folders or not folders
    ]
    for fits in (
        lambda last: last == wanted,
        lambda last: bool(number) and last.startswith(number),
        lambda last: bool(wanted) and f"-{wanted}-" in f"-{last}-",
    ):
        found = [stem for stem in there if fits(stem.rpartition("/")[2])]
        if len(found) == 1:
            return stems[found[0]]
        if found:
            raise CopyError(f"{text!r} may be {_listed(found)}: write one of them.")
    words = {word: stem for stem in stems for word in (stem, stem.rpartition("/")[2])}
    near = dict.fromkeys(words[word] for word in difflib.get_close_matches(wanted, words, 5, 0.4))
    hint = f"near it are {_listed(list(near)[:3])}" if near else "write its number, such as 04"
    raise CopyError(f"The course has no notebook {text!r}: {hint}.")


def _listed(stems: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(stems[:-1]), stems[-1])))
