"""From an answer to its explanation: match, rank, and let the journey decide where there is one."""

from __future__ import annotations

import re
from dataclasses import replace

from labkit.doctor.details import details_of
from labkit.doctor.evidence import Evidence, SentRequest, read
from labkit.doctor.explanation import Cause, Explanation
from labkit.doctor.facts import facts_of
from labkit.doctor.redaction import hide
from labkit.doctor.rules import Overlay, Rule, knowledge, rank
from labkit.journey import Journey

_BY_PATH = re.compile(r"/_aws/execute-api/(?P<api_id>\w+)(?P<path>/.*)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_LONGEST_MESSAGE = 300
_UNKNOWN = (
    "The error doctor doesn't know this answer, so it doesn't guess. Look at the header x-amzn-ErrorType, which names "
    "the kind of error, and at the body's own words. With the header x-amzn-RequestId you find the request in the "
    "stage's execution log."
)
_NOT_AWS = (
    "This is an error of the program, no answer of AWS. Its last line says what is wrong, and the arrow above it shows "
    "where."
)
_LESS_KNOWN = "No rule of the error doctor fits this answer, but the journey tells the reason."
_SUCCESS = "Nothing was refused."


def explain(answer: object, *, journey: Journey | None = None) -> Explanation:
    """Explain an answer of AWS: what it says, its possible causes, and which probe tells them apart.

    Args:
        answer: a ``requests.Response``; a boto3 ``ClientError`` or result; another exception; or a text that you
            copied: a body, a line of an execution log, a browser's complaint.
        journey: the request's way through the gateway, where it is known: then the cause is too.

    >>> explanation = explain('{"message":"Missing Authentication Token"}')
    >>> explanation.causes[0].title, explanation.certain
    ('The stage has no such path and verb', False)
    """
    return _Diagnosis(read(answer), journey).explanation()


class _Diagnosis:
    """The work on one answer."""

    def __init__(self, evidence: Evidence, journey: Journey | None) -> None:
        self._evidence = evidence
        self._steps = journey.steps if journey else []
        self._stop = journey.stopped_at if journey else None
        self._known = knowledge()
        self._facts = frozenset(name for name, holds in facts_of(evidence).items() if holds)
        self._values = _values_of(evidence.request)
        if self._stop:
            self._values |= {"gate": self._stop.gate, "reason": self._stop.reason}

    def explanation(self) -> Explanation:
        found = self._overlays()
        overlays = [self._known.causes[overlay.cause] for overlay in found]
        if not self._evidence.refused:
            warnings = tuple(map(self._cause, overlays))
            return Explanation(self._answer(), _SUCCESS, warnings, refused=False)
        stop, rule = self._stop, self._rule()
        names = rule.causes if rule else ()
        ranked = rank((self._known.causes[name] for name in names), self._facts)
        decided = self._decided(ranked)
        settled = any(overlay.decisive for overlay in found)
        certain = (
            settled
            or len(decided) == 1
            or (stop is None and bool(rule and rule.decisive) and not overlays and bool(ranked))
        )
        causes = {cause.id: cause for cause in (*overlays, *decided, *ranked)}
        gate = f"The gateway decided at the gate “{stop.gate}”: {stop.reason}." if stop else ""
        return Explanation(
            answer=self._answer(),
            meaning=rule.means if rule else self._unknown(),
            causes=tuple(map(self._cause, causes.values())),
            certain=certain,
            known=rule is not None,
            reason=self._redact(gate),
            details=tuple(map(self._redact, details_of(self._evidence))),
            decided=len(overlays) + 1 if certain and decided and not settled else 1,
        )

    def _unknown(self) -> str:
        """What there is to say of an answer that no rule fits."""
        if self._stop:
            return _LESS_KNOWN
        e = self._evidence
        return _NOT_AWS if e.status is None and e.error_type and e.data is None else _UNKNOWN

    def _rule(self) -> Rule | None:
        for rule in self._known.rules:
            groups = rule.match(self._evidence)
            if groups is not None:
                self._values |= groups
                return rule
        return None

    def _overlays(self) -> list[Overlay]:
        """The causes that any answer may have; of a success, the warnings."""
        return [
            overlay
            for overlay in self._known.overlays
            if (overlay.decisive or self._evidence.status is not None)
            and overlay.success != self._evidence.refused
            and self._facts.issuperset(overlay.facts)
            and (not overlay.code or any(step.code == overlay.code for step in self._steps))
        ]

    def _decided(self, ranked: list[Cause]) -> list[Cause]:
        """The causes that the journey leaves: of this answer's, else of all, else the gate's own words."""
        stop = self._stop
        if stop is None:
            # Every gate let the request pass: then the backend itself refused it.
            last = self._steps[-1] if self._steps else None
            passed = last is not None and (last.gate, last.outcome) == ("integration", "pass")
            return [cause for cause in ranked if passed and cause.id == "backend-answered"]
        known = [cause for cause in self._known.causes.values() if stop.code in cause.codes]
        return (
            [cause for cause in ranked if cause in known]
            or rank(known, self._facts)
            or [self._known.causes["in-the-gates-words"]]
        )

    def _answer(self) -> str:
        e = self._evidence
        kind = "an HTML page" if e.is_html else e.error_type
        head = " ".join(part for part in (str(e.status or ""), kind) if part)
        text = self._redact(e.message or "").strip().split("\n\n")[0]
        if len(text) > _LONGEST_MESSAGE:
            text = text[:_LONGEST_MESSAGE] + "…"
        words = "null" if e.null_message else text
        return self._redact(": ".join(part for part in (head, words) if part) or "no text")

    def _cause(self, cause: Cause) -> Cause:
        return replace(
            cause,
            title=self._fill(cause.title),
            why=self._fill(cause.why),
            probe=self._fill(cause.probe),
            fix=self._fill(cause.fix),
            because=tuple(
                self._known.facts[fact] for fact in cause.likely_if if fact in self._facts
            ),
        )

    def _fill(self, text: str) -> str:
        """Put the request's own values in; a value that isn't known stays a name in angle brackets."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return self._redact(self._values.get(name) or f"<{name.replace('_', ' ')}>")

        return _PLACEHOLDER.sub(value, text)

    def _redact(self, text: str) -> str:
        return hide(text, self._evidence.secrets())


def _values_of(request: SentRequest) -> dict[str, str]:
    """What the request tells of the API."""
    values = {"method": request.method, "host": request.host, "path": request.path}
    values |= request.api
    by_path = _BY_PATH.fullmatch(request.path)
    if by_path is not None:
        values |= by_path.groupdict()
    if "api_id" in values:
        _empty, stage, *rest = [*values["path"].split("/", 2), "", ""]
        values |= {"stage": stage, "path": f"/{rest[0]}"}
    return values
