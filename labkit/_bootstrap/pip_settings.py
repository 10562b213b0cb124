"""What a computer has set for pip, told to uv, which reads none of it.

A private index, a folder of wheels, a company's certificates, a proxy: whoever needs them has told
pip, in its files or in PIP_* variables. uv gets them by environment variables, because everybody on
a computer can read command lines, and the URL of an index may hold a password.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path

# https://pip.pypa.io/en/stable/topics/configuration/, https://docs.astral.sh/uv/reference/environment/ (2026-11-30)
_VARIABLE = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
}
# These change how pip speaks, where it may install, or how often it tries: nothing that uv should do otherwise.
_WITHOUT_MEANING = set(
    "break-system-packages config-file disable-pip-version-check exists-action log log-file "
    "no-color no-compile no-input no-python-version-warning no-warn-script-location "
    "prefer-binary progress-bar quiet require-venv require-virtualenv retries root-user-action "
    "user verbose".split()
)


def parse(listing: str) -> dict[str, str]:
    """The options of ``pip install`` in the answer of ``pip config list``.

    As for pip, a section's last line counts, also an empty one, which takes back what another file
    says; and then a later section that says something.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, _, text = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in sections:
            sections[section][option] = ast.literal_eval(text).strip()
    return {
        option: value for options in sections.values() for option, value in options.items() if value
    }


def for_uv(options: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which uv does what pip does with these options in that environment.

    Raises:
        ValueError: no variable of uv's says what one of the options says; its text is the option's name.
    """
    told = {name: text for name, text in environment.items() if not name.startswith("UV_")}
    told |= {
        "UV_NO_CONFIG": "1",  # pip's settings and no others
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip: all indexes count alike
        "UV_SYSTEM_CERTS": "1",  # as pip since 24.2
    }
    if bundle := environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE"):
        told["SSL_CERT_DIR" if Path(bundle).is_dir() else "SSL_CERT_FILE"] = bundle
    if "UV_CACHE_DIR" in environment:
        told["UV_CACHE_DIR"] = environment["UV_CACHE_DIR"]
    for option, value in options.items():
        if option in _VARIABLE:
            separator = "," if option == "find-links" else " "
            told[_VARIABLE[option]] = separator.join(map(os.path.expanduser, value.split()))
        elif option == "proxy":
            told["HTTP_PROXY"] = told["HTTPS_PROXY"] = (
                value if "://" in value else "http://" + value
            )
        elif option in ("timeout", "default-timeout"):
            told["UV_HTTP_TIMEOUT"] = str(round(float(value)))
        elif option == "cache-dir":
            told.setdefault("UV_CACHE_DIR", str(Path(value).expanduser() / "uv"))
        elif option == "no-cache-dir":
            told["UV_NO_CACHE"] = str(int(_is_on(value)))
        elif option not in _WITHOUT_MEANING | {"no-index"}:
            raise ValueError(option)
    return told


def arguments_for_uv(options: Mapping[str, str]) -> list[str]:
    """What uv takes on its command line only."""
    return ["--no-index"] if _is_on(options.get("no-index", "0")) else []


def _is_on(value: str) -> bool:
    return value.lower() not in ("0", "false", "f", "no", "n", "off")
