"""What one local cloud is: its port, its credentials, its account."""

from __future__ import annotations

import json
import re
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

REGION = "us-east-1"
"""The lab's Region."""

ACCOUNT_ID = "123456789012"
"""The account id that AWS's documentation uses for examples: it belongs to nobody."""

_KEY_ALPHABET = string.ascii_uppercase + "234567"

_FORMS = {
    "access_key_id": re.compile(r"[A-Z0-9]{16,128}"),
    "secret_access_key": re.compile(r"[!-~]{16,128}"),
    "admin_token": re.compile(r"[!-~]{16,128}"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]"),
    "account_id": re.compile(r"[0-9]{12}"),
    "work_directory": re.compile(r"[^\0]*"),
}
"""What each text must be: all but the directory travel in headers, so in ASCII that can be seen."""


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Everything that a client needs to use a local cloud, and the cloud to serve it.

    The credentials are random for each cloud. ``admin_token`` opens ``/_labkit/*``.
    """

    port: int
    access_key_id: str
    secret_access_key: str
    admin_token: str
    region: str = REGION
    account_id: str = ACCOUNT_ID
    work_directory: str = ""

    @classmethod
    def new(cls, port: int, work_directory: Path) -> CloudSettings:
        """Settings with fresh random credentials.

        The access key id has the length and the alphabet of AWS's, and starts with ``LKIA``, a prefix that AWS
        doesn't use: it can't be mistaken for (or leak as) a real key.
        """
        return cls(
            port=port,
            access_key_id="LKIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
            secret_access_key=secrets.token_urlsafe(30),
            admin_token=secrets.token_urlsafe(24),
            work_directory=str(work_directory),
        )

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:<port>``: the control planes, and every data plane by path."""
        return f"http://127.0.0.1:{self.port}"

    def announcement(self) -> dict[str, str]:
        """The line that ``python -m labkit.local`` prints when it is ready."""
        return {
            "endpoint": self.endpoint,
            "region": self.region,
            "account_id": self.account_id,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "admin_token": self.admin_token,
        }

    def to_json(self) -> str:
        """The settings as one JSON line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CloudSettings:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: the text isn't such a line.
        """
        return cls.from_data(json.loads(text))

    @classmethod
    def from_data(cls, data: object) -> CloudSettings:
        """Settings that somebody may have changed.

        Args:
            data: as :func:`dataclasses.asdict` gives it.

        Raises:
            ValueError: a part is missing, unknown or no header or URL could carry it.
        """
        if not isinstance(data, dict) or {str(name) for name in data} != set(cls.__slots__):
            raise ValueError("not the parts of a cloud's settings")
        port = data["port"]
        if type(port) is not int or not 0 < port < 65536:
            raise ValueError("not a port")
        for name, form in _FORMS.items():
            if not isinstance(data[name], str) or form.fullmatch(data[name]) is None:
                raise ValueError(f"not an {name}")
        return cls(**data)
