"""Makes the resources of a template with API Gateway's own operations, in the order that their references ask for.

Only what the templates in ``tests/support/cdk`` hold. As CloudFormation does, it sends what a resource's properties say
and nothing else; a model without a name gets one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

JsonObject = dict[str, Any]
Made = dict[str, str]
"""What ``Ref`` and ``Fn::GetAtt`` give for a resource: the value of ``Ref`` is under that name."""

_PSEUDO = {"AWS::Partition": "aws"}


def make_all(resources: Mapping[str, JsonObject], client: Callable[[str], Any]) -> dict[str, Made]:
    """Make all resources.

    Args:
        resources: a template's ``Resources``.
        client: makes a boto3 client of a service.

    Returns:
        What was made, by logical id.

    Raises:
        AssertionError: what was written isn't what is read.
    """
    makers = _Makers(client)
    made: dict[str, Made] = {}
    needed = {name: {*_named(resource)} & set(resources) for name, resource in resources.items()}
    for name in TopologicalSorter(needed).static_order():
        make = makers.by_type[resources[name]["Type"].removeprefix("AWS::")]
        made[name] = make(name, _resolved(resources[name]["Properties"], made))
    return made


def _named(value: Any) -> Iterator[str]:
    """The resources that a resource names, and those that it depends on."""
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        yield from value.get("DependsOn", ())
        yield value.get("Ref", value.get("Fn::GetAtt", [""])[0])
        for one in value.values():
            yield from _named(one)


def _resolved(value: Any, made: Mapping[str, Made]) -> Any:
    match value:
        case {"Ref": name}:
            return _PSEUDO.get(name) or made[name]["Ref"]
        case {"Fn::GetAtt": [name, attribute]}:
            return made[name][attribute]
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(parts, made))
        case dict():
            return {name: _resolved(one, made) for name, one in value.items()}
        case list():
            return [_resolved(one, made) for one in value]
    return value


def _as_parameters(value: Any) -> Any:
    """Properties under the names that REST APIs' operations have: ``PathPart`` is ``pathPart``."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _as_parameters(one) for name, one in value.items()}
    return [_as_parameters(one) for one in value] if isinstance(value, list) else value


def _check(written: Mapping[str, Any], read: Mapping[str, Any]) -> None:
    """Every member that was written is read as it was written; the ids of what it belongs to aren't."""
    for name, value in written.items():
        if name in read:
            assert read[name] == value, (name, value, read[name])
        else:
            assert name.lower().endswith(("apiid", "parentid", "resourceid")), (name, read)


class _Makers:
    """What makes a resource of each type, from its logical id and its properties."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._rest, self._http, self._lambda = map(client, ("apigateway", "apigatewayv2", "lambda"))
        self.by_type: dict[str, Callable[[str, JsonObject], Made]] = {
            "ApiGateway::ApiKey": self._api_key,
            "ApiGateway::Authorizer": partial(self._of_rest_api, "authorizer"),
            "ApiGateway::Deployment": partial(self._of_rest_api, "deployment"),
            "ApiGateway::GatewayResponse": self._gateway_response,
            "ApiGateway::Method": self._method,
            "ApiGateway::Model": self._model,
            "ApiGateway::RequestValidator": partial(self._of_rest_api, "request_validator"),
            "ApiGateway::Resource": partial(self._of_rest_api, "resource"),
            "ApiGateway::RestApi": self._rest_api,
            "ApiGateway::Stage": self._stage,
            "ApiGateway::UsagePlan": self._usage_plan,
            "ApiGateway::UsagePlanKey": self._usage_plan_key,
            "ApiGatewayV2::Api": self._http_api,
            "ApiGatewayV2::Authorizer": partial(self._of_http_api, "Authorizer"),
            "ApiGatewayV2::Integration": partial(self._of_http_api, "Integration"),
            "ApiGatewayV2::Route": partial(self._of_http_api, "Route"),
            "ApiGatewayV2::Stage": self._http_stage,
            "Lambda::Permission": self._permission,
        }

    def _rest_api(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        api_id = self._rest.create_rest_api(**written)["id"]
        read = self._rest.get_rest_api(restApiId=api_id)
        read["endpointConfiguration"].pop("ipAddressType", None)
        _check(written, read)
        return {"Ref": api_id, "RootResourceId": read["rootResourceId"]}

    def _of_rest_api(self, kind: str, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        made = getattr(self._rest, f"create_{kind}")(**written)["id"]
        member = "".join(word.capitalize() for word in kind.split("_"))
        where = {"restApiId": written["restApiId"], f"{member[0].lower()}{member[1:]}Id": made}
        _check(written, getattr(self._rest, f"get_{kind}")(**where))
        return {"Ref": made, f"{member}Id": made}

    def _model(self, name: str, properties: JsonObject) -> Made:
        written = {
            "restApiId": properties["RestApiId"],
            "name": name,
            "contentType": properties["ContentType"],
            "schema": json.dumps(properties["Schema"]),
        }
        self._rest.create_model(**written)
        _check(written, self._rest.get_model(restApiId=written["restApiId"], modelName=name))
        return {"Ref": name}

    def _gateway_response(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        self._rest.put_gateway_response(**written)
        where = {name: written[name] for name in ("restApiId", "responseType")}
        _check(written, self._rest.get_gateway_response(**where))
        return {}

    def _method(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        where = {name: written[name] for name in ("restApiId", "resourceId", "httpMethod")}
        integration, answers = written.pop("integration"), written.pop("methodResponses", [])
        mapped = integration.pop("integrationResponses", [])
        self._rest.put_method(**written)
        for answer in answers:
            self._rest.put_method_response(**where, **answer)
        verb = integration.pop("integrationHttpMethod", None)
        self._rest.put_integration(
            **where, **integration, **({"integrationHttpMethod": verb} if verb else {})
        )
        for answer in mapped:
            self._rest.put_integration_response(**where, **answer)
        read = self._rest.get_method(**where)
        _check(written, read)
        integrated = read["methodIntegration"]
        _check(integration | ({"httpMethod": verb} if verb else {}), integrated)
        for all_written, all_read in (
            (answers, read.get("methodResponses", {})),
            (mapped, integrated.get("integrationResponses", {})),
        ):
            assert all_read == {answer["statusCode"]: answer for answer in all_written}
        return {}

    def _stage(self, _name: str, properties: JsonObject) -> Made:
        settings = properties.pop("MethodSettings", [])
        written = _as_parameters(properties)
        self._rest.create_stage(**written)
        where = {name: written[name] for name in ("restApiId", "stageName")}
        paths = {
            "ThrottlingRateLimit": "throttling/rateLimit",
            "ThrottlingBurstLimit": "throttling/burstLimit",
            "DataTraceEnabled": "logging/dataTrace",
        }
        for setting in settings:
            place = f"{setting.pop('ResourcePath')}/{setting.pop('HttpMethod')}"
            patches = [
                {"op": "replace", "path": f"{place}/{paths[name]}", "value": json.dumps(value)}
                for name, value in setting.items()
            ]
            self._rest.update_stage(**where, patchOperations=patches)
            kept = self._rest.get_stage(**where)["methodSettings"]
            read = kept[place.removeprefix("/").replace("~1", "", 1)]  # orders/GET
            _check(_as_parameters(setting), read)
        _check(written, self._rest.get_stage(**where))
        return {"Ref": written["stageName"]}

    def _api_key(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        made = self._rest.create_api_key(**written)["id"]
        _check(written, self._rest.get_api_key(apiKey=made, includeValue=True))
        return {"Ref": made}

    def _usage_plan(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        written["name"] = written.pop("usagePlanName")
        made = self._rest.create_usage_plan(**written)["id"]
        _check(written, self._rest.get_usage_plan(usagePlanId=made))
        return {"Ref": made}

    def _usage_plan_key(self, _name: str, properties: JsonObject) -> Made:
        written = _as_parameters(properties)
        self._rest.create_usage_plan_key(**written)
        read = self._rest.get_usage_plan_key(
            usagePlanId=written["usagePlanId"], keyId=written["keyId"]
        )
        assert (read["id"], read["type"]) == (written["keyId"], written["keyType"])
        return {}

    def _http_api(self, _name: str, properties: JsonObject) -> Made:
        made = self._http.create_api(**properties)["ApiId"]
        _check(properties, self._http.get_api(ApiId=made))
        return {"Ref": made}

    def _http_stage(self, _name: str, properties: JsonObject) -> Made:
        self._http.create_stage(**properties)
        where = {name: properties[name] for name in ("ApiId", "StageName")}
        _check(properties, self._http.get_stage(**where))
        return {"Ref": properties["StageName"]}

    def _of_http_api(self, kind: str, _name: str, properties: JsonObject) -> Made:
        made = getattr(self._http, f"create_{kind.lower()}")(**properties)[f"{kind}Id"]
        where = {"ApiId": properties["ApiId"], f"{kind}Id": made}
        _check(properties, getattr(self._http, f"get_{kind.lower()}")(**where))
        return {"Ref": made}

    def _permission(self, name: str, properties: JsonObject) -> Made:
        self._lambda.add_permission(StatementId=name, **properties)
        return {}
