"""uv takes the packages from where this computer's pip does; where it can't, pip installs them."""

import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.package_index import KEY, PASSWORD, PackageIndex, write_wheel
from tests.support.small_course import BACKEND, PIP, UV

pytestmark = pytest.mark.slow

# pip's own files on this computer say other things; an empty value takes them back.
NOTHING_ELSE = dict.fromkeys(
    ["index-url", "extra-index-url", "find-links", "constraint", "cert", "proxy", "no-index"], ""
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, lacking: Callable[[str], NoReturn]) -> Path:
    """A folder with the wheels that a small course takes."""
    folder = tmp_path_factory.mktemp("wheels")
    has_pip = importlib.util.find_spec("pip") is not None
    python = sys.executable if has_pip else sys._base_executable  # type: ignore[attr-defined]
    pip = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    answer = subprocess.run(
        [*pip, "--no-deps", "--only-binary", ":all:", "--dest", folder, PIP, UV, BACKEND],
        capture_output=True,
        text=True,
    )
    if "NewConnectionError" in answer.stderr:
        lacking("no connection to the package index")
    assert answer.returncode == 0, answer.stderr
    return folder


class Made:
    """What came of making a small course's environment, on a computer whose pip has these settings."""

    def __init__(self, clone: Path, **settings: object) -> None:
        lines = {
            **NOTHING_ELSE,
            **{name.replace("_", "-"): value for name, value in settings.items()},
        }
        file = clone.parent / "pip.conf"
        file.write_text(
            "[global]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())
        )
        names = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_")
        environment = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(names) and not name.lower().endswith("_proxy")
        }
        code = "from labkit._bootstrap import environment; environment.make(['course'])"
        answer = subprocess.run(
            [sys._base_executable, "-c", code],  # type: ignore[attr-defined]
            cwd=clone,
            env=environment
            | {
                "PIP_CONFIG_FILE": str(file),
                "PIP_CACHE_DIR": str(clone.parent / "cache"),
                "PIP_RETRIES": "0",
                "FAKE_UV_REPORT": str(clone.parent / "report.json"),
            },
            capture_output=True,
            text=True,
        )
        self.output = answer.stdout
        self.error = answer.stderr
        self.log = (clone / ".venv/labkit-install.log").read_text("utf-8")
        assert PASSWORD not in self.output + self.error + self.log
        self.by = [path.read_text() for path in clone.glob(".venv/**/flit_core-*/INSTALLER")]

    def assert_by_uv(self) -> None:
        assert self.by == ["uv"], self.log
        assert len(self.output.splitlines()) == 1
        assert self.error == ""

    def assert_by_pip(self, sentence: str) -> None:
        assert self.by == ["pip\n"], self.log
        [_, said] = self.output.splitlines()
        assert sentence in said
        assert "pip installs the packages" in said
        assert self.error == ""


def test_from_a_folder_of_wheels_without_any_index(clone: Path, wheels: Path) -> None:
    Made(clone, no_index="true", find_links=wheels).assert_by_uv()


@pytest.mark.parametrize("option", ["index_url", "extra_index_url"])
def test_from_an_index_with_a_password(
    clone: Path, wheels: Path, tmp_path: Path, option: str
) -> None:
    with (
        PackageIndex(wheels, locked=True).running() as index,
        PackageIndex(tmp_path).running() as bare,
    ):
        urls = {"index_url": f"http://{bare.authority}/simple"}
        urls[option] = f"http://{KEY}@{index.authority}/simple"
        Made(clone, quiet=2, **urls).assert_by_uv()
    assert {"pip", "uv"} <= index.clients


@pytest.mark.parametrize("trust", ["cert", "trusted_host"])
def test_from_an_index_of_a_company_with_certificates_of_its_own(
    clone: Path, wheels: Path, tmp_path: Path, trust: str
) -> None:
    authority = write_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    with PackageIndex(wheels).running(tls) as index:
        host = f"localhost:{index.server_port}"  # a name, as a company's server has: pip 25.1 wants one
        trusted = {"cert": authority, "trusted_host": host}[trust]
        url = f"https://{host}/simple"
        Made(clone, index_url=url, **{trust: trusted}).assert_by_uv()
    assert {"pip", "uv"} <= index.clients


def write_certificates(folder: Path) -> Path:
    """A company's own authority, whose file is returned, and in server.pem its server named localhost."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "server")}
    names = {
        name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"A company's {name}")])
        for name in keys
    }
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    pem = serialization.Encoding.PEM
    for name, key in keys.items():
        certificate = (
            x509.CertificateBuilder()
            .subject_name(names[name])
            .issuer_name(names["authority"])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(name == "authority", None), critical=True)
            .add_extension(address, critical=False)
            .sign(keys["authority"], hashes.SHA256())
        )
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{name}.pem").write_bytes(
            key.private_bytes(pem, *plain) + certificate.public_bytes(pem)
        )
    return folder / "authority.pem"


def test_through_a_proxy(clone: Path, wheels: Path) -> None:
    host = "packages.example.invalid"
    with PackageIndex(wheels).running() as proxy:
        url = f"http://{host}/simple"
        Made(clone, index_url=url, trusted_host=host, proxy=proxy.authority).assert_by_uv()
    assert {"pip", "uv"} <= proxy.clients


def test_a_constraint_binds_uv_too(clone: Path, wheels: Path, tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("flit-core < 1\n")
    made = Made(clone, no_index="true", find_links=wheels, constraint=constraints)
    assert made.by == []
    assert "pip could not install the packages" in made.error


def test_without_uv_pip_installs(clone: Path, wheels: Path, tmp_path: Path) -> None:
    shutil.copytree(wheels, tmp_path / "others", ignore=shutil.ignore_patterns("uv-*"))
    made = Made(clone, no_index="true", find_links=tmp_path / "others")
    made.assert_by_pip("uv is not to be had here")


def test_an_option_without_a_word_to_uv_leaves_it_to_pip(clone: Path, wheels: Path) -> None:
    made = Made(clone, no_index="true", find_links=wheels, only_binary=":all:")
    made.assert_by_pip("uv has no word for pip's setting only-binary")


FAKE_UV = """
import json, os, sys
def main():
    with open(os.environ["FAKE_UV_REPORT"], "w") as report:
        json.dump({"arguments": sys.argv, "environment": dict(os.environ)}, report)
    sys.exit("error: no luck with " + os.environ["UV_DEFAULT_INDEX"])
"""


def test_where_uv_fails_pip_installs_and_nobody_reads_the_password(
    clone: Path, wheels: Path, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    shutil.copytree(wheels, served, ignore=shutil.ignore_patterns("uv-*"))
    scripts = "[console_scripts]\nuv = fake_uv:main\n"
    name, version = UV.split("==")
    write_wheel(served, name, version, {"fake_uv.py": FAKE_UV, "entry_points.txt": scripts})
    with PackageIndex(served, locked=True).running() as index:
        url = f"http://{KEY}@{index.authority}/simple"
        made = Made(clone, index_url=url)
    made.assert_by_pip("uv could not install the packages")
    assert "error: no luck with http://****@" in made.log
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["environment"]["UV_DEFAULT_INDEX"] == url
    assert PASSWORD not in str(told["arguments"])
