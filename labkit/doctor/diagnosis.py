"""From an answer to its explanation: match, rank, and let the journey decide where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from labkit.doctor import details
from labkit.doctor.evidence import Evidence, SentRequest, read
from labkit.doctor.explanation import Cause, Explanation
from labkit.doctor.facts import EXECUTE_API_HOST, facts_of, sentence
from labkit.doctor.redaction import hide
from labkit.doctor.rules import KnownCause, Rule, knowledge
from labkit.journey import Journey
from labkit.sigv4.mismatch import compare_canonical_requests

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
        self._steps = journey.steps if journey else []
        self._stop = journey.stopped_at if journey else None
        self._known = knowledge()
        self._facts = facts_of(evidence)
        self._redact: Callable[[str], str] = partial(hide, secrets=evidence.secrets())
        self._values = _values_of(evidence.request)
        if self._stop:
            self._values |= {"gate": self._stop.gate, "reason": self._stop.reason}

    def explanation(self) -> Explanation:
        if not self._evidence.refused:
            warnings = self._overlays(success=True)
            return Explanation(
                self._answer(), _SUCCESS, tuple(map(self._cause, warnings)), refused=False
            )
        stop, rule = self._stop, self._rule()
        names = rule.causes if rule else ()
        ranked = self._known.rank((self._known.causes[name] for name in names), self._facts)
        before = [] if self._evidence.status is None else self._overlays(success=False)
        decided = self._decided(ranked)
        certain = len(decided) == 1 or (
            stop is None and bool(rule and rule.decisive) and not before and bool(ranked)
        )
        causes = [*before, *(cause for cause in decided if cause not in before)]
        causes += [cause for cause in ranked if cause not in causes]
        canonical = details.expected_canonical_request(self._evidence.text)
        return Explanation(
            answer=self._answer(),
            meaning=rule.means if rule else _LESS_KNOWN if stop else _UNKNOWN,
            causes=tuple(map(self._cause, causes)),
            certain=certain,
            known=rule is not None,
            reason=self._redact(f"“{stop.gate}”: {stop.reason}.") if stop else "",
            details=tuple(map(self._redact, self._details(canonical))),
            expected_canonical_request=None if canonical is None else self._redact(canonical),
            decided=len(before) + 1 if certain and decided else 1,
        )

    def _rule(self) -> Rule | None:
        for rule in self._known.rules:
            groups = rule.match(self._evidence)
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
            and (not overlay.code or any(step.code == overlay.code for step in self._steps))
        ]

    def _decided(self, ranked: list[KnownCause]) -> list[KnownCause]:
        """The causes that the journey leaves: of this answer's, else of all, else the gate's own words."""
        stop = self._stop
        if stop is None:
            # Every gate let the request pass: then the backend itself refused it.
            last = self._steps[-1] if self._steps else None
            passed = last is not None and (last.gate, last.outcome) == ("integration", "pass")
            return [cause for cause in ranked if passed and cause.card.id == "backend-answered"]
        known = [cause for cause in self._known.causes.values() if stop.code in cause.codes]
        return (
            [cause for cause in ranked if cause in known]
            or self._known.rank(known, self._facts)
            or [self._known.causes["in-the-gates-words"]]
        )

    def _details(self, canonical: str | None) -> list[str]:
        found = []
        off = details.skew(self._evidence.text)
        if off is not None:
            found.append(details.in_words(off))
        if canonical is not None:
            found.append(f"The server computed this canonical request:\n{canonical}")
            sent = details.sent_canonical_request(self._evidence)
            if sent == canonical:
                found.append("The request arrived as it was sent: nothing on the way changed it.")
            elif sent is not None:
                found.append(f"Changed on the way. {compare_canonical_requests(sent, canonical)}")
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
        card = cause.card
        return replace(
            card,
            title=self._fill(card.title),
            why=self._fill(card.why),
            probe=self._fill(card.probe),
            fix=self._fill(card.fix),
            because=tuple(sentence(fact) for fact in cause.likely_if if fact in self._facts),
        )

    def _fill(self, text: str) -> str:
        """Put the request's own values in; a value that isn't known stays a name in angle brackets."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return self._redact(self._values.get(name) or f"<{name.replace('_', ' ')}>")

        return _PLACEHOLDER.sub(value, text)


def _values_of(request: SentRequest) -> dict[str, str | None]:
    """What the request tells of the API."""
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
