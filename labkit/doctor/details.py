"""What can be computed from a refusal's text: how far a clock is off, and what a signature should have signed."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator

from labkit import clock, sigv4
from labkit.doctor.evidence import Evidence, SentRequest
from labkit.sigv4.mismatch import compare_canonical_requests, server_strings

_FORMAT = "%Y%m%dT%H%M%SZ"
_STAMP = r"(\d{8}T\d{6}Z)"
_OFF = re.compile(
    rf"(?:Signature expired|Signature not yet current): {_STAMP} is (?:now earlier|still later) "
    rf"than {_STAMP}(?: \({_STAMP} [-+] [\d.]+ min\.?\))?"
)


def details_of(evidence: Evidence) -> Iterator[str]:
    """What can be computed, in sentences. They may hold a secret of the request's."""
    off = skew(evidence.text)
    if off:
        yield off
    strings = server_strings(evidence.text)
    if strings is None:  # the answer doesn't tell it (gateway 4.4)
        return
    canonical, request = strings[0], evidence.request
    yield f"The server computed this canonical request:\n{canonical}"
    if request.signed_headers:
        sent = _sent_canonical_request(request)
        if sent == canonical:
            yield "The request arrived as it was sent: nothing on the way changed it."
        else:
            yield f"Changed on the way. {compare_canonical_requests(sent, canonical)}"


def skew(text: str) -> str:
    """How far the signature's time is off the server's clock, in words; empty when the text doesn't tell.

    >>> skew("Signature expired: 20181029T181641Z is now earlier than 20181029T191126Z "
    ...      "(20181029T191626Z - 5 min.)")
    'The signature is 59 min 45 s older than the time at AWS.'
    """
    seconds = seconds_off(text)
    if seconds is None:
        return ""
    amount = clock.in_words(abs(seconds))
    return f"The signature is {amount} {'older' if seconds < 0 else 'newer'} than the time at AWS."


def seconds_off(text: str) -> int | None:
    """By how many seconds the signature's time is later than the server's; None when the text doesn't tell."""
    found = _OFF.search(text)
    if found is None:
        return None
    try:
        signed = dt.datetime.strptime(found[1], _FORMAT)
        server = dt.datetime.strptime(found[3] or found[2], _FORMAT)
    except ValueError:
        return None
    return int((signed - server).total_seconds())


def _sent_canonical_request(request: SentRequest) -> str:
    """The canonical request of the request as it was sent. It may hold a secret."""
    return sigv4.canonical_request(
        request.method,
        request.path,
        request.query,
        {"host": request.host, **request.headers},
        request.signed_headers,
        hashlib.sha256(request.body).hexdigest(),
    )
