"""What pip is set to, read as pip reads it, and told to uv."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit._bootstrap import pip_settings

OPTION = st.sampled_from(["cert", "find-links", "index-url", "no-index", "proxy"])
SECTION = st.sampled_from(["global", "install", ":env:", "download"])
VALUE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@given(st.dictionaries(st.tuples(SECTION, OPTION), VALUE))
def test_the_most_specific_section_that_says_something_wins(
    settings: dict[tuple[str, str], str],
) -> None:
    listing = "\n".join(
        f"{section}.{option}={value!r}" for (section, option), value in settings.items()
    )
    found = pip_settings.parse(listing)
    for option in {option for _, option in settings} | set(found):
        said = [settings.get((section, option), "") for section in (":env:", "install", "global")]
        assert found.get(option, "") == next((text.strip() for text in said if text.strip()), "")


def test_an_empty_line_takes_back_what_another_file_says() -> None:
    listing = "global.cert='/etc/one.pem'\nglobal.proxy='http://one'\nglobal.cert=''"
    assert pip_settings.parse(listing) == {"proxy": "http://one"}


def test_options_are_told_by_environment(tmp_path: Path) -> None:
    options = {
        "index-url": "https://one/simple",
        "extra-index-url": "https://two/simple\nhttps://three/simple",
        "find-links": "/some/wheels\n~/wheels",
        "constraint": "/etc/constraints.txt",
        "cert": "/etc/company.pem",
        "client-cert": "/etc/me.pem",
        "trusted-host": "one two:8080",
        "proxy": "proxy.example:3128",
        "timeout": "12.5",
        "cache-dir": str(tmp_path),
        "retries": "3",
    }
    before = {
        "PATH": "/bin",
        "UV_INDEX": "https://elsewhere",
        "REQUESTS_CA_BUNDLE": "/etc/other.pem",
    }
    assert pip_settings.for_uv(options, before) == {
        "PATH": "/bin",
        "REQUESTS_CA_BUNDLE": "/etc/other.pem",
        "UV_NO_CONFIG": "1",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "1",
        "UV_DEFAULT_INDEX": "https://one/simple",
        "UV_INDEX": "https://two/simple https://three/simple",
        "UV_FIND_LINKS": f"/some/wheels,{Path.home()}/wheels",
        "UV_CONSTRAINT": "/etc/constraints.txt",
        "SSL_CERT_FILE": "/etc/company.pem",
        "SSL_CLIENT_CERT": "/etc/me.pem",
        "UV_INSECURE_HOST": "one two:8080",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "UV_HTTP_TIMEOUT": "12",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }


@pytest.mark.parametrize(
    ("variable", "is_directory"), [("SSL_CERT_DIR", True), ("SSL_CERT_FILE", False)], ids=str
)
def test_certificates_that_requests_is_told_of(
    tmp_path: Path, variable: str, is_directory: bool
) -> None:
    place = tmp_path if is_directory else tmp_path / "company.pem"
    assert pip_settings.for_uv({}, {"REQUESTS_CA_BUNDLE": str(place)})[variable] == str(place)


@pytest.mark.parametrize("value", ["1", "true", "Yes", "on"])
def test_an_option_that_is_on(value: str) -> None:
    assert pip_settings.arguments_for_uv({"no-index": value}) == ["--no-index"]
    assert pip_settings.for_uv({"no-cache-dir": value}, {})["UV_NO_CACHE"] == "1"


@pytest.mark.parametrize("value", ["0", "false", "No", "off"])
def test_an_option_that_is_off(value: str) -> None:
    assert pip_settings.arguments_for_uv({"no-index": value}) == []
    assert pip_settings.for_uv({"no-cache-dir": value}, {})["UV_NO_CACHE"] == "0"


def test_the_place_of_uvs_own_cache_stays() -> None:
    told = pip_settings.for_uv({"cache-dir": "/pip"}, {"UV_CACHE_DIR": "/uv"})
    assert told["UV_CACHE_DIR"] == "/uv"


def test_an_option_without_a_word_to_uv_is_named() -> None:
    with pytest.raises(ValueError, match=r"^require-hashes$"):
        pip_settings.for_uv({"require-hashes": "1"}, {})


def test_pip_lists_its_settings_as_they_are_read_here(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://reader:it's@one/simple\nfind_links =\n  /a b\n  /c\nclient-cert =\n"
        "[install]\nproxy = http://proxy:1\n[download]\nproxy = http://proxy:2\n"
    )
    names = ("PIP_", "UV_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    environment |= {"PIP_CONFIG_FILE": str(file), "PIP_TRUSTED_HOST": "one"}
    python = sys._base_executable  # type: ignore[attr-defined]
    answer = subprocess.run(
        [python, "-m", "pip", "config", "list"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = pip_settings.parse(answer.stdout)
    assert found["index-url"] == "https://reader:it's@one/simple"
    assert found["find-links"].split() == ["/a", "b", "/c"]
    assert found["proxy"] == "http://proxy:1"
    assert found["trusted-host"] == "one"
    assert "client-cert" not in found
