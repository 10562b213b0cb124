"""From an answer to its explanation: match, rank, and let the journey decide where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.doctor import details
from labkit.doctor.evidence import Evidence, read
from labkit.doctor.explanation import Cause, Explanation
from labkit.doctor.facts import EXECUTE_API_HOST, facts_of, sentence
from labkit.doctor.redaction import Redactor
from labkit.doctor.rules import Knowledge, KnownCause, Overlay, Rule, knowledge
from labkit.journey import Journey, Step

_BY_PATH = re.compile(r"/_aws/execute-api/(?P<api_id>\w+)(?P<path>/.*)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_LONGEST_MESSAGE = 300
_UNKNOWN = (
    "The error doctor doesn't know this answer, so it doesn't guess. Look at the header x-amzn-ErrorType, which names "
    "the kind of error, and at the body's own words. With the header x-amzn-RequestId you find the request in the "
    "stage's execution log."
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
    >>> explanation.symptom, explanation.certain
    (1, False)
    >>> explanation.causes[0].title
    'The stage has no such path and verb'
    """
    return _Diagnosis(read(answer), journey).explanation()


class _Diagnosis:
    """The work on one answer."""

    def __init__(self, evidence: Evidence, journey: Journey | None) -> None:
        self._evidence = evidence
        self._journey = journey
        self._known: Knowledge = knowledge()
        self._facts = facts_of(evidence)
        self._redact: Callable[[str], str] = Redactor(evidence.secrets())
        self._values = _values_of(evidence)

    def explanation(self) -> Explanation:
        if not self._evidence.refused:
            return self._of_success()
        rule = self._rule()
        ranked = self._known.rank(rule.causes if rule else (), self._facts)
        before = [] if self._evidence.status is None else self._overlays(success=False)
        stop = self._journey.stopped_at if self._journey else None
        decided = self._decided(stop, ranked)
        certain = len(decided) == 1 or (
            stop is None and bool(rule and rule.decisive) and not before and bool(ranked)
        )
        rest = [cause for cause in ranked if cause not in decided and cause not in before]
        causes = [*before, *(cause for cause in decided if cause not in before), *rest]
        shown = tuple(map(self._cause, causes))
        if stop is not None and not decided:
            shown = (_cause_of_stop(stop, self._redact, self._known), *shown)
            certain = True
        canonical = details.expected_canonical_request(self._evidence.text)
        return Explanation(
            answer=self._answer(),
            meaning=rule.means if rule else _LESS_KNOWN if stop else _UNKNOWN,
            causes=shown,
            certain=certain,
            known=rule is not None,
            reason=self._redact(f"“{stop.gate}”: {stop.reason}.") if stop else "",
            details=tuple(map(self._redact, self._details(canonical))),
            expected_canonical_request=None if canonical is None else self._redact(canonical),
            decided=len(before) + 1 if certain and decided else 1,
        )

    def _of_success(self) -> Explanation:
        warnings = self._overlays(success=True)
        return Explanation(
            answer=self._answer(),
            meaning=_SUCCESS,
            causes=tuple(map(self._cause, warnings)),
            refused=False,
        )

    def _rule(self) -> Rule | None:
        for rule in self._known.rules:
            groups = rule.match(self._evidence, self._facts)
            if groups is not None:
                self._values |= groups
                return rule
        return None

    def _overlays(self, *, success: bool) -> list[KnownCause]:
        return [
            self._known.causes[overlay.cause]
            for overlay in self._known.overlays
            if overlay.success == success
            and self._facts.issuperset(overlay.facts)
            and self._has_step(overlay)
        ]

    def _has_step(self, overlay: Overlay) -> bool:
        if not overlay.gate:
            return True
        return any(
            step.gate == overlay.gate
            and step.outcome == overlay.outcome
            and re.search(overlay.reason, step.reason)
            for step in (self._journey.steps if self._journey else [])
        )

    def _decided(self, stop: Step | None, ranked: list[KnownCause]) -> list[KnownCause]:
        """The causes that the journey leaves: of this answer's, or else of all."""
        if stop is None:
            return self._of_backend(ranked)
        everything = list(self._known.causes.values())
        for candidates in (ranked, everything):
            found = [cause for cause in candidates if cause.stopped(stop.gate, stop.reason)]
            if found:
                return found if candidates is ranked else found[:1]
        return []

    def _of_backend(self, ranked: list[KnownCause]) -> list[KnownCause]:
        """When every gate let the request pass, the backend itself refused it."""
        steps = self._journey.steps if self._journey else []
        answered = self._known.causes["backend-answered"]
        passed = bool(steps) and (steps[-1].gate, steps[-1].outcome) == ("integration", "pass")
        return [answered] if passed and answered in ranked else []

    def _details(self, canonical: str | None) -> list[str]:
        found = []
        off = details.skew(self._evidence.text)
        if off is not None:
            found.append(details.in_words(off))
        if canonical is not None:
            found.append(f"The server computed this canonical request:\n{canonical}")
            lines = details.differences(self._evidence, canonical)
            if lines:
                shown = [f"{side:<8} {self._redact(line)}" for side, line in lines]
                found.append("\n".join(["Changed on the way:", *shown]))
            elif lines is not None:
                found.append("The request arrived as it was sent: nothing on the way changed it.")
        return found

    def _answer(self) -> str:
        e = self._evidence
        kind = e.error_type if not e.is_html else "an HTML page"
        head = " ".join(part for part in (str(e.status or ""), kind) if part)
        text = self._redact(e.message or "").strip().split("\n\n")[0]
        if len(text) > _LONGEST_MESSAGE:
            text = text[:_LONGEST_MESSAGE] + "…"
        words = "null" if e.null_message else text
        return self._redact(": ".join(part for part in (head, words) if part) or "no text")

    def _cause(self, cause: KnownCause) -> Cause:
        speaking = [fact for fact in cause.likely_if if fact in self._facts]
        return Cause(
            title=cause.title,
            why=self._fill(cause.why),
            probe=self._fill(cause.probe),
            fix=self._fill(cause.fix),
            notebook=self._known.notebooks[cause.notebook],
            id=cause.id,
            symptom=cause.symptom,
            label=cause.label,
            sources=cause.sources,
            because=tuple(map(sentence, speaking)),
        )

    def _fill(self, text: str) -> str:
        """Put the request's own values in; a value that isn't known stays a name in angle brackets."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return self._redact(self._values.get(name) or f"<{name.replace('_', ' ')}>")

        return _PLACEHOLDER.sub(value, text)


def _cause_of_stop(stop: Step, redact: Callable[[str], str], known: Knowledge) -> Cause:
    """A cause that isn't in the collection, in the gate's own words."""
    return Cause(
        title=f"The gate “{stop.gate}” stopped the request",
        why=redact(stop.reason),
        probe="Look at all gates: lab.journey(response)",
        fix=f"Change what the gate “{stop.gate}” looked at, deploy if it is part of the API, and send it again.",
        notebook=known.notebooks["start"],
        label="recorded",
    )


def _values_of(e: Evidence) -> dict[str, str]:
    """What the request tells of the API."""
    request = e.request
    path, values = request.path, {"method": request.method, "host": request.host}
    host = EXECUTE_API_HOST.fullmatch(request.host)
    by_path = _BY_PATH.fullmatch(path)
    if host is not None:
        values |= host.groupdict()
    elif by_path is not None:
        values |= {"api_id": by_path["api_id"]}
        path = by_path["path"]
    if host is None and by_path is None:
        return {**values, "path": path}
    _empty, stage, *rest = [*path.split("/", 2), "", ""]
    return {**values, "stage": stage, "path": f"/{rest[0]}"}
