"""What an import found wrong: errors end it, warnings only when the caller asks for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ApiError

MAX_ERRORS = 100
"""After so many the import gives up."""


class ImportReport:
    """The errors and warnings of one import, in order."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []

    @contextmanager
    def step(self, failure: str, *, is_warning: bool = False) -> Iterator[None]:
        """Go on after a refusal, which is an error then (recorded 22.2), or a warning (recorded 22.25)."""
        try:
            yield
        except ApiError as refused:
            found = self.warnings if is_warning else self.errors
            found.append(f"{failure}: {refused.message}")
        if len(self.errors) >= MAX_ERRORS:
            self.check(fail_on_warnings=False)

    def check(self, *, fail_on_warnings: bool) -> None:
        """End the import if something is wrong.

        Raises:
            ApiError: ``BadRequestException`` with all that was found (recorded 22.2, 22.3).
        """
        if self.errors:
            raise bad_request("Errors found during import:\n\t" + "\n\t".join(self.errors))
        if fail_on_warnings and self.warnings:
            raise bad_request("Warnings found during import:\n\t" + "\n\t".join(self.warnings))
