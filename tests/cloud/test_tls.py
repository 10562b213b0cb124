"""``python -m labkit.local --tls``: certificates by host name, and client certificates where a name wants them."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme

from labkit.course.build import deployment_package
from labkit.journey import Code
from labkit.local.instance import clean_environment
from tests.support.patience import PATIENCE

REGION = "us-east-1"
ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
MTLS, STORELESS, PLAIN, OF_HTTP_API = (
    f"{name}.example.com" for name in ("mtls", "storeless", "plain", "http")
)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    request_id: str


class TlsCloud:
    """A cloud that serves TLS, with one open REST API behind three domain names and an HTTP API behind a fourth.

    Args:
        said: the line that it printed.
        directory: for certificates.
    """

    def __init__(self, said: dict[str, str], directory: Path) -> None:
        self.said = said
        self.directory = directory
        self.authority, self.stranger = trustme.CA(), trustme.CA()
        self.good = self.certificate(self.authority, "good")
        self.foreign = self.certificate(self.stranger, "foreign")
        self.api_id = self._make_rest_api()
        self._make_domains()

    def client(self, service: str, **settings: Any) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            aws_access_key_id=self.said["access_key_id"],
            aws_secret_access_key=self.said["secret_access_key"],
            **{"endpoint_url": self.said["endpoint"], **settings},
        )

    def certificate(self, authority: trustme.CA, name: str) -> Path:
        path = self.directory / name
        made = authority.issue_cert(f"{name}@example.com", common_name=name)
        made.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def _make_rest_api(self) -> str:
        self.client("iam").create_role(
            RoleName="echo",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    },
                }
            ),
        )
        account = self.said["account_id"]
        function = self.client("lambda").create_function(
            FunctionName="echo",
            Runtime="python3.12",
            Handler="lambda_function.handler",
            Role=f"arn:aws:iam::{account}:role/echo",
            Code={"ZipFile": deployment_package(ECHO)},
        )["FunctionArn"]
        self.client("lambda").add_permission(
            FunctionName="echo",
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        gateway = self.client("apigateway")
        api_id = gateway.create_rest_api(name="tls", endpointConfiguration={"types": ["REGIONAL"]})[
            "id"
        ]
        root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
        method = {"restApiId": api_id, "resourceId": root, "httpMethod": "GET"}
        gateway.put_method(**method, authorizationType="NONE")
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        gateway.create_deployment(restApiId=api_id, stageName="dev")
        http_apis = self.client("apigatewayv2")
        self.http_api = http_apis.create_api(Name="h", ProtocolType="HTTP", Target=function)[
            "ApiId"
        ]
        return str(api_id)

    def _make_domains(self) -> None:
        certificate = self.client("acm").request_certificate(DomainName="*.example.com")
        arn = certificate["CertificateArn"]
        s3 = self.client("s3")
        s3.create_bucket(Bucket="trust")
        s3.put_object(Bucket="trust", Key="store.pem", Body=self.authority.cert_pem.bytes())
        gateway, http_apis = self.client("apigateway"), self.client("apigatewayv2")
        for name, store in ((MTLS, "store"), (STORELESS, "nothing"), (PLAIN, "")):
            mutual = {"mutualTlsAuthentication": {"truststoreUri": f"s3://trust/{store}.pem"}}
            gateway.create_domain_name(
                domainName=name,
                regionalCertificateArn=arn,
                endpointConfiguration={"types": ["REGIONAL"]},
                **(mutual if store else {}),
            )
            gateway.create_base_path_mapping(domainName=name, restApiId=self.api_id, stage="dev")
        http_apis.create_domain_name(
            DomainName=OF_HTTP_API,
            DomainNameConfigurations=[{"EndpointType": "REGIONAL", "CertificateArn": arn}],
            MutualTlsAuthentication={"TruststoreUri": "s3://trust/store.pem"},
        )
        http_apis.create_api_mapping(ApiId=self.http_api, DomainName=OF_HTTP_API, Stage="$default")

    def get(
        self,
        host: str,
        path: str = "/",
        *,
        certificate: Path | None = None,
        connect_to: str | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> Answer:
        """A request over TLS, to the host as the certificate's name unless another is told."""
        context = ssl.create_default_context(cafile=self.said["certificate_authority"])
        context.maximum_version = newest
        if certificate is not None:
            context.load_cert_chain(certificate)
        port = int(self.said["tls_endpoint"].rpartition(":")[2])
        connection = http.client.HTTPConnection(host)
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        with plain, context.wrap_socket(plain, server_hostname=connect_to or host) as connected:
            connection.sock = connected
            return _ask(connection, host, path)

    def get_plainly(self, host: str) -> Answer:
        address = self.said["endpoint"].removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            return _ask(connection, host, "/")
        finally:
            connection.close()

    def code_of(self, answer: Answer) -> str:
        """Of the last step of its journey."""
        address = self.said["endpoint"].removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            headers = {"x-labkit-token": self.said["admin_token"]}
            connection.request("GET", f"/_labkit/journeys/{answer.request_id}", headers=headers)
            step = json.loads(connection.getresponse().read())["steps"][-1]
            return str(step["code"])
        finally:
            connection.close()


def _ask(connection: http.client.HTTPConnection, host: str, path: str) -> Answer:
    connection.request("GET", path, headers={"Host": host})
    response = connection.getresponse()
    request_id = response.getheader("x-amzn-RequestId") or response.getheader("apigw-requestid")
    return Answer(response.status, response.read().decode(), str(request_id))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsCloud]:
    directory = tmp_path_factory.mktemp("tls")
    command = [sys.executable, "-m", "labkit.local", "--tls"]
    environment = {**clean_environment(), "TMPDIR": str(directory)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield TlsCloud(said, directory)
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
    assert not Path(said["certificate_authority"]).exists()


# -- certificates ----------------------------------------------------------------------------------


def test_each_genuine_name_has_its_certificate(cloud: TlsCloud) -> None:
    own = f"{cloud.api_id}.execute-api.{REGION}.amazonaws.com"
    assert cloud.get(own, "/dev").status == 200
    assert cloud.get(PLAIN).status == 200
    for host in ("127.0.0.1", "localhost", f"cognito-idp.{REGION}.amazonaws.com"):
        assert cloud.get(host).status in (400, 403)  # an answer: the certificate was good


@pytest.mark.parametrize("name", ["elsewhere.example.org", "example.com", "xn--pi-uia.example"])
def test_another_name_has_none(cloud: TlsCloud, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        cloud.get(name)


def test_boto3_comes_over_tls(cloud: TlsCloud) -> None:
    settings = {
        "endpoint_url": cloud.said["tls_endpoint"],
        "verify": cloud.said["certificate_authority"],
    }
    assert cloud.client("sts", **settings).get_caller_identity()["Account"] == "123456789012"


def test_nobody_else_can_read_a_key(cloud: TlsCloud) -> None:
    work = Path(cloud.said["certificate_authority"]).parent
    assert not [path for path in work.iterdir() if path.is_file() and b"KEY" in path.read_bytes()]


# -- client certificates -----------------------------------------------------------------------------

each_version = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
each_door = pytest.mark.parametrize("host", [MTLS, OF_HTTP_API])


@each_version
@each_door
def test_who_has_a_good_certificate_is_let_in(
    cloud: TlsCloud, host: str, newest: ssl.TLSVersion
) -> None:
    answer = cloud.get(host, certificate=cloud.good, newest=newest)
    assert answer.status == 200
    context = json.loads(answer.text)["requestContext"]
    found = context.get("authentication") or context["identity"]
    assert "BEGIN CERTIFICATE" in found["clientCert"]["clientCertPem"]
    assert found["clientCert"]["subjectDN"].startswith("CN=good,")
    assert set(found["clientCert"]) == {
        "clientCertPem", "subjectDN", "issuerDN", "serialNumber", "validity",
    }  # fmt: skip


@each_version
@each_door
def test_without_one_it_is_403(cloud: TlsCloud, host: str, newest: ssl.TLSVersion) -> None:
    for answer in (cloud.get(host, newest=newest), cloud.get_plainly(host)):
        assert (answer.status, answer.text) == (403, '{"message":"Forbidden"}')
        assert cloud.code_of(answer) == Code.CLIENT_CERTIFICATE


@each_version
@each_door
def test_a_certificate_of_another_authority_ends_the_handshake(
    cloud: TlsCloud, host: str, newest: ssl.TLSVersion
) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        cloud.get(host, certificate=cloud.foreign, newest=newest)


@pytest.mark.parametrize("connect_to", [PLAIN, STORELESS, "localhost"])
def test_a_certificate_counts_for_the_name_that_was_connected_to(
    cloud: TlsCloud, connect_to: str
) -> None:
    answer = cloud.get(MTLS, certificate=cloud.good, connect_to=connect_to)
    assert (answer.status, cloud.code_of(answer)) == (403, Code.CLIENT_CERTIFICATE)
    answer = cloud.get(PLAIN, certificate=cloud.good, connect_to=MTLS)
    assert answer.status == 200


def test_without_a_trust_store_nobody_gets_in(cloud: TlsCloud) -> None:
    answer = cloud.get(STORELESS, certificate=cloud.good)
    assert (answer.status, cloud.code_of(answer)) == (403, Code.TRUST_STORE)


def test_who_wants_none_asks_for_none(cloud: TlsCloud) -> None:
    answer = cloud.get(PLAIN, certificate=cloud.foreign)
    assert answer.status == 200
    assert "clientCert" not in json.loads(answer.text)["requestContext"]["identity"]


def test_a_new_trust_store_counts_once_the_domain_name_is_updated(cloud: TlsCloud) -> None:
    s3, gateway = cloud.client("s3"), cloud.client("apigateway")
    assert cloud.get(MTLS, certificate=cloud.good).status == 200
    store = cloud.stranger.cert_pem.bytes()
    try:
        s3.put_object(Bucket="trust", Key="store.pem", Body=store)
        assert cloud.get(MTLS, certificate=cloud.good).status == 200
        _update_trust_store(gateway)
        with pytest.raises((OSError, http.client.HTTPException)):
            cloud.get(MTLS, certificate=cloud.good)
        assert cloud.get(MTLS, certificate=cloud.foreign).status == 200
    finally:
        s3.put_object(Bucket="trust", Key="store.pem", Body=cloud.authority.cert_pem.bytes())
        _update_trust_store(gateway)


def _update_trust_store(gateway: Any) -> None:
    path = "/mutualTlsAuthentication/truststoreUri"
    operation = {"op": "replace", "path": path, "value": "s3://trust/store.pem"}
    gateway.update_domain_name(domainName=MTLS, patchOperations=[operation])


def test_what_is_not_tls_gets_no_answer(cloud: TlsCloud) -> None:
    port = int(cloud.said["tls_endpoint"].rpartition(":")[2])
    for sent in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + b"\0" * 99,
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            answer = plain.recv(100)
            assert not answer.startswith(b"HTTP")
    assert cloud.get(PLAIN).status == 200
