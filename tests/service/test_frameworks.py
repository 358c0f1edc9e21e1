"""Frameworks that many chatbots are built with talk to the service as to a provider: langchain-openai and litellm.

Each lives in an environment of its own, made for the test: litellm pins what half of this project uses, and langchain
brings a pytest plugin along that would be part of every run of ours. Making one takes one to seven minutes: nightly.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.foreign_environment import environment_of
from tests.service.conftest import Served

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]

_COMMON = """
import json, os
from pydantic import BaseModel

URL = os.environ["PROVIDER"] + "/v1"
ASK = "What is the weather in Delft?"


class Weather(BaseModel):
    city: str
    degrees: int


"""
_LANGCHAIN = """
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    "The weather of a city."
    return "fine"


chat = ChatOpenAI(model="gpt-4o-mini", base_url=URL, api_key="sk-free-1", max_retries=0)
plain = chat.invoke(ASK)
call = chat.bind_tools([get_weather], tool_choice="get_weather").invoke(ASK).tool_calls[0]
parsed = chat.with_structured_output(Weather).invoke(ASK)
print(json.dumps({
    "plain": plain.content,
    "tokens": plain.usage_metadata["output_tokens"],
    "streamed": "".join(chunk.content for chunk in chat.stream(ASK)),
    "tool": [call["name"], sorted(call["args"])],
    "parsed": [type(parsed).__name__, sorted(parsed.model_dump())],
}))
"""
_LITELLM = """
import litellm

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def ask(**more):
    messages = [{"role": "user", "content": ASK}]
    return litellm.completion("openai/gpt-4o-mini", messages, api_base=URL, api_key="sk-free-1", num_retries=0, **more)


plain = ask()
called = ask(tools=[TOOL], tool_choice="required").choices[0].message.tool_calls[0].function
parsed = Weather.model_validate_json(ask(response_format=Weather).choices[0].message.content)
print(json.dumps({
    "plain": plain.choices[0].message.content,
    "tokens": plain.usage.completion_tokens,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True) if chunk.choices),
    "tool": [called.name, sorted(json.loads(called.arguments))],
    "parsed": [type(parsed).__name__, sorted(parsed.model_dump())],
}))
"""


@pytest.mark.parametrize(
    ("packages", "script"),
    [(("langchain-openai",), _LANGCHAIN), (("litellm", "mcp"), _LITELLM)],  # litellm imports mcp once tools are offered
    ids=["langchain-openai", "litellm"],
)
def test_a_frameworks_round_trip(served: Served, tmp_path: Path, packages: tuple[str, ...], script: str) -> None:
    """Plain and streamed answers, a tool's call, and an answer that parses as the client's own type."""
    python = environment_of(tmp_path / "own", packages)
    environment = {**os.environ, "PROVIDER": served.main, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    ran = subprocess.run(
        [str(python), "-c", _COMMON + script], env=environment, capture_output=True, text=True, check=False, timeout=300
    )

    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.strip().splitlines()[-1])
    assert len(seen["plain"].split()) == seen["tokens"] == 12
    assert len(seen["streamed"].split()) == 12
    assert seen["tool"] == ["get_weather", ["city"]]
    assert seen["parsed"] == ["Weather", ["city", "degrees"]]
