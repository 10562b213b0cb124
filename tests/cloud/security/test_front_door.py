"""The cloud is on loopback only, and a web page that makes a browser call it gets nothing."""

import json
import socket
import sys
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import psutil
import pytest

from tests.support.attacker import JSON, Attacker
from tests.support.patience import PATIENCE

FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.nip.io:{port}",
    "localhost.evil:{port}",
    "localhost.evil.example",
    "127.0.0.1.:{port}",
    "localhost.:{port}",
    "EVIL.EXAMPLE:{port}",
    "127.0.0.1:1",
    "127.0.0.1:{port}:80",
    "127.1:{port}",
    "2130706433:{port}",
    "0.0.0.0:{port}",
    "[::1]:{port}",
    "user@127.0.0.1:{port}",
    "amazonaws.com",
    "evil.amazonaws.com.evil.example",
    "evilamazonaws.com",
    "cognito-idp.us-east-1.amazonaws.com.",
    "evil-bucket.s3.amazonaws.com",
    "ec2-127-0-0-1.compute-1.amazonaws.com",
    "x.elb.amazonaws.com",
    "0123456789abcdef0123456789abcdef.lambda-url.us-east-1.amazonaws.com",
    "0123456789abcdef0123456789abcdef.lambda-url.us-east-1.on.aws",
    "abc.alb.localhost",
    "abcdefgh.execute-api.localhost",
    "iot.us-east-1.amazonaws.com",
    "",
]
PATHS = ["/", "/restapis", "/2015-03-31/functions/", "/_labkit/health", "{api}", "{jwks}"]


def path_of(cloud: Attacker, template: str) -> str:
    return template.format(
        api=f"/_aws/execute-api/{cloud.demo.rest_api_id}/dev/demo",
        jwks=f"/{cloud.demo.user_pool_id}/.well-known/jwks.json",
    )


def token(cloud: Attacker) -> dict[str, str]:
    return {"x-labkit-token": cloud.settings.admin_token}


def is_turned_away(cloud: Attacker, headers: dict[str, str], path: str) -> bool:
    """403 from the front: not from the gateway, whose journey would be kept, nor from a service."""
    answer = cloud.send("GET", path, headers | token(cloud))
    words = ("doesn't answer for the host", "not allowed", "names one host")
    return answer.status == 403 and any(word in answer.text for word in words)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_turned_away_on_every_path(cloud: Attacker, host: str) -> None:
    name = host.format(port=cloud.settings.port)
    for path in PATHS:
        assert is_turned_away(cloud, {"Host": name}, path_of(cloud, path)), path


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_loopback_names_are_its_own(cloud: Attacker, host: str) -> None:
    name = host.format(port=cloud.settings.port)
    assert cloud.send("GET", "/_labkit/health", token(cloud) | {"Host": name}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1.nip.io:{port}"},
        {"Origin": "http://127.0.0.1:{port}@evil.example"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: "-".join(next(iter(headers.items()))),
)
def test_a_foreign_page_is_turned_away_on_every_path(
    cloud: Attacker, headers: dict[str, str]
) -> None:
    sent = {name: value.format(port=cloud.settings.port) for name, value in headers.items()}
    for path in PATHS:
        assert is_turned_away(cloud, sent, path_of(cloud, path)), path


def test_a_page_may_call_the_genuine_host_of_an_api(cloud: Attacker) -> None:
    headers = {"Host": cloud.api_host, "Origin": "https://evil.example"}
    answer = cloud.send("GET", "/dev/demo", headers | {"Sec-Fetch-Site": "cross-site"})
    assert (answer.status, json.loads(answer.body)) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:{port}"])
@pytest.mark.parametrize("method", ["GET", "POST", "CONNECT"])
def test_it_is_no_proxy(cloud: Attacker, method: str, host: str) -> None:
    target = f"http://{host.format(port=cloud.settings.port)}/_labkit/health"
    assert cloud.send(method, target, token(cloud)).status == 403


def raw(cloud: Attacker, data: bytes) -> bytes:
    with socket.create_connection(
        ("127.0.0.1", cloud.settings.port), timeout=PATIENCE
    ) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def token_line(cloud: Attacker) -> bytes:
    return f"x-labkit-token: {cloud.settings.admin_token}\r\n".encode()


def test_without_a_host_nothing_is_served(cloud: Attacker) -> None:
    answer = raw(cloud, b"GET /_labkit/health HTTP/1.0\r\n" + token_line(cloud) + b"\r\n")
    assert b" 403 " in answer.splitlines()[0]


def test_two_hosts_are_refused(cloud: Attacker) -> None:
    hosts = f"Host: {cloud.loopback}\r\nHost: evil.example\r\n".encode()
    answer = raw(cloud, b"GET /_labkit/health HTTP/1.1\r\n" + hosts + token_line(cloud) + b"\r\n")
    assert answer.split()[1] in (b"400", b"403")


@pytest.mark.parametrize("authority", ["evil.example", "127.0.0.1.nip.io:{port}"])
def test_http2_has_the_same_door(cloud: Attacker, authority: str) -> None:
    assert _http2_status(cloud, authority.format(port=cloud.settings.port)) == "403"


def test_http2_is_served_at_all(cloud: Attacker) -> None:
    assert _http2_status(cloud, cloud.loopback) == "200"


def _http2_status(cloud: Attacker, authority: str) -> str:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    with socket.create_connection(("127.0.0.1", cloud.settings.port), timeout=PATIENCE) as wire:
        connection.initiate_connection()
        headers = [
            (":method", "GET"),
            (":authority", authority),
            (":scheme", "http"),
            (":path", "/_labkit/health"),
            ("x-labkit-token", cloud.settings.admin_token),
        ]
        connection.send_headers(1, headers, end_stream=True)
        wire.sendall(connection.data_to_send())
        while data := wire.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    return str(dict(event.headers)[":status"])
            wire.sendall(connection.data_to_send())
    raise AssertionError("the connection was closed without an answer")


@pytest.mark.parametrize("path", ["/", "/_labkit/health", "{api}"])
def test_a_websocket_is_never_opened(cloud: Attacker, path: str) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert cloud.send("GET", path_of(cloud, path), headers | token(cloud)).status == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", [*PATHS[:4], "{jwks}", "/%5Fministack/health", "/bucket/key"])
def test_no_answer_lets_a_foreign_page_read_it(cloud: Attacker, method: str, path: str) -> None:
    for headers in (
        {},
        {"Origin": f"http://{cloud.loopback}"},
        {"Host": "cognito-idp.us-east-1.amazonaws.com", "Origin": "https://evil.example"},
        {
            "Origin": f"http://{cloud.loopback}",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target,content-type,x-labkit-token",
        },
    ):
        answer = cloud.send(method, path_of(cloud, path), headers)
        names = {name.lower() for name in answer.headers}
        assert not [name for name in names if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "service", ["s3", "iam", "cognito-idp", "lambda", "apigateway", "cloudfront"]
)
def test_not_even_a_signed_call_gets_cors_headers(cloud: Attacker, service: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = cloud.signed(service, method, "/")
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_cognito_answer_has_no_cors_headers(cloud: Attacker) -> None:
    headers = JSON | {"X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser"}
    answer = cloud.send("POST", "/", headers, b'{"AccessToken":"x"}')
    assert answer.status == 400
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.skipif(sys.platform == "win32", reason="psutil needs more rights there")
def test_it_listens_on_loopback_and_on_one_port_only(cloud: Attacker) -> None:
    process = psutil.Process(cloud.pid)
    listening = {
        connection.laddr
        for one in [process, *process.children(recursive=True)]
        for connection in one.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    }
    assert {(address.ip, address.port) for address in listening} == {
        ("127.0.0.1", cloud.settings.port)
    }


# -- /_labkit ----------------------------------------------------------------------------


TOKENS: list[tuple[str, Callable[[str], list[str]]]] = [
    ("none", lambda _token: []),
    ("empty", lambda _token: [""]),
    ("wrong", lambda token: [token[:-1] + ("y" if token.endswith("x") else "x")]),
    ("prefix", lambda token: [token[:-1]]),
    ("longer", lambda token: [token + "x"]),
    ("another case", lambda token: [token.swapcase()]),
    ("right, then wrong", lambda token: [token, "x"]),
    ("wrong, then right", lambda token: ["x", token]),
    ("twice", lambda token: [token, token]),
    ("joined", lambda token: [f"{token}, {token}"]),
    ("not ASCII", lambda _token: ["\xe9"]),
]


@pytest.mark.parametrize("tokens", [make for _name, make in TOKENS], ids=[n for n, _make in TOKENS])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_labkit/health"),
        ("GET", "/_labkit/inbox/learner@example.com"),
        ("GET", "/_labkit/journeys/x"),
        ("POST", "/_labkit/shutdown"),
        ("POST", "/_labkit/clock"),
        ("GET", "/_labkit/"),
        ("GET", "/_labkit"),
    ],
)
def test_labkit_needs_the_token(
    cloud: Attacker, method: str, path: str, tokens: Callable[[str], list[str]]
) -> None:
    headers = [("x-labkit-token", value) for value in tokens(cloud.settings.admin_token)]
    assert cloud.send(method, path, headers).status == 403


@pytest.mark.parametrize(
    "host",
    ["{api}", "cognito-idp.us-east-1.amazonaws.com", "sts.amazonaws.com", "d111.cloudfront.net"],
)
def test_labkit_is_not_behind_the_hosts_of_aws(cloud: Attacker, host: str) -> None:
    name = host.format(api=cloud.api_host)
    answer = cloud.send("GET", "/_labkit/inbox/learner@example.com", token(cloud) | {"Host": name})
    assert answer.status == 403


def test_the_shutdown_was_not_obeyed(cloud: Attacker) -> None:
    assert cloud.send("GET", "/_labkit/health", token(cloud)).status == 200


@pytest.mark.parametrize(
    "body", [b"a=1&" * 1_001, b"Action=" + b"%41" * 400_000], ids=["many fields", "long"]
)
def test_a_form_that_takes_long_to_read_is_not_read(cloud: Attacker, body: bytes) -> None:
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    assert cloud.send("POST", "/", form, body).status == 413
    plenty = b"&".join(b"a%d=1" % number for number in range(900))
    assert cloud.send("POST", "/", form, b"Action=ListUsers&" + plenty).status == 403
