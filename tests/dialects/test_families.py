"""What leads a program and its key to a provider: variables, hosts and headers, held against the official SDKs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import anthropic
import boto3
import openai
import pytest
from google.genai import Client

from mockbot.dialects.client_identity import FREE, api_key, tier_of
from mockbot.dialects.dialect import ProviderError
from mockbot.dialects.families import FAMILIES, key_of

SDKS: Mapping[str, Any] = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic}


@pytest.mark.parametrize("name", SDKS)
def test_the_variables_lead_the_sdk_and_the_host_is_where_it_goes_without(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base URL and key are the SDK's own defaults; the key is found in the headers that it sends."""
    family, url, key = FAMILIES[name], "http://127.0.0.1:9", api_key("plus", "7")
    variables = family.environment(url, key)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    led = SDKS[name]()
    for variable in variables:
        monkeypatch.delenv(variable)
    astray = SDKS[name](api_key="k")

    assert str(led.base_url).startswith(url)
    headers = {name.lower().encode(): value.encode() for name, value in led.auth_headers.items()}
    assert key_of(headers, b"") == key
    assert astray.base_url.host in family.hosts


def test_the_variables_lead_boto3_and_the_hosts_are_where_it_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """To Bedrock's runtime and to its control plane; in every region that is named."""
    family = FAMILIES["bedrock"]
    for variable, value in family.environment("http://127.0.0.1:9", "k").items():
        monkeypatch.setenv(variable, value)
    led = {boto3.Session().client(name).meta.endpoint_url for name in ("bedrock-runtime", "bedrock")}
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    regions = {host.split(".")[1] for host in family.hosts}
    clients = [
        boto3.Session().client(name, region_name=each) for name in ("bedrock-runtime", "bedrock") for each in regions
    ]

    assert led == {"http://127.0.0.1:9"}
    assert {urlsplit(client.meta.endpoint_url).hostname for client in clients} == {*family.hosts}


@pytest.mark.parametrize(("vertex", "path"), [(False, "/v1/models"), (True, "/v1beta1/publishers/google/models")])
def test_the_variables_lead_googles_sdk_with_and_without_vertex(
    monkeypatch: pytest.MonkeyPatch, vertex: bool, path: str
) -> None:
    """Its requests go to the base URL with the key in its own header; without the variables, to one of the hosts."""
    family, url, key = FAMILIES["gemini"], "http://127.0.0.1:9", api_key("plus", "7")
    for variable, value in family.environment(url, key).items():
        monkeypatch.setenv(variable, value)
    with Client(vertexai=vertex) as led:
        request = led._api_client._build_request("get", path.removeprefix("/").partition("/")[2], {})
    for variable in family.environment(url, key):
        monkeypatch.delenv(variable)
    with Client(vertexai=vertex, api_key="k") as astray:
        host = urlsplit(str(astray._api_client._http_options.base_url)).hostname

    assert request.url == f"{url}{path}"
    assert key_of({name.lower().encode(): value.encode() for name, value in request.headers.items()}, b"") == key
    assert host in family.hosts


def test_a_key_in_the_query_is_found() -> None:
    """As Gemini's own examples with curl have it; a header comes first."""
    assert key_of({}, b"alt=sse&key=sk-a-b") == "sk-a-b"
    assert key_of({b"x-goog-api-key": b"sk-c-d"}, b"key=sk-a-b") == "sk-c-d"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, None),
        ({b"x-api-key": b" sk-a-b "}, "sk-a-b"),
        ({b"authorization": b"bearer sk-a-b"}, "sk-a-b"),
        ({b"authorization": b"AWS4-HMAC-SHA256 Credential=sk-a-b/20260101/us-east-1/bedrock/aws4_request"}, "sk-a-b"),
        ({b"authorization": b"Bearer gateway", b"x-api-key": b"sk-a-b"}, "sk-a-b"),
        ({b"authorization": b"Bearer gateway", b"api-key": b"sk-a-b"}, "sk-a-b"),
        ({b"authorization": b"Bearer gateway", b"x-goog-api-key": b"sk-a-b"}, "sk-a-b"),
    ],
)
def test_a_key_is_found_in_any_familys_header(headers: dict[bytes, bytes], key: str | None) -> None:
    """A header that holds only a key comes before Authorization."""
    assert key_of(headers, b"token=no-family-looks-here") == key


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"AWS4-HMAC-SHA256 Signature=a"},
        {b"authorization": b"Basic abc"},
        {b"authorization": b"Bearer "},
        {b"x-api-key": b""},
    ],
)
def test_what_is_no_key_is_401(headers: dict[bytes, bytes]) -> None:
    """Another scheme, or nothing."""
    with pytest.raises(ProviderError) as error:
        key_of(headers, b"")

    assert error.value.status == 401


@pytest.mark.parametrize(
    ("key", "tier"),
    [(api_key("plus", "u-1"), "plus"), ("sk-plus", FREE), ("sk--u", FREE), ("pk-plus-u", FREE), ("", FREE)],
)
def test_a_key_names_its_users_tier(key: str, tier: str) -> None:
    """Every key that mockbot did not make is of tier free."""
    assert tier_of(key) == tier
