"""Agents of four frameworks end by themselves: each of their tools runs once, then there is an answer or an output.

Each framework lives in an environment of its own, made for the test, and asks three endpoints: nightly.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mockbot.dialects.identified_text import recognise
from tests.foreign_environment import environment_of
from tests.service.conftest import Served

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]

_SHARED = """
import json
import os

from pydantic import BaseModel

OPENAI, ANTHROPIC = os.environ["OPENAI"] + "/v1", os.environ["ANTHROPIC"]
KEY = "sk-free-1"
ASK = "What is the weather in Delft, and what time is it there?"
ran: list[str] = []


class Report(BaseModel):
    "What an agent with structured output has to give."

    city: str
    degrees: int


def get_weather(city: str) -> str:
    "The weather of a city."
    ran.append("get_weather")
    return f"18 C in {city}"


def get_time(city: str) -> str:
    "The time in a city."
    ran.append("get_time")
    return f"noon in {city}"


def told(answer: object) -> None:
    "The tools that ran, in threads of their own, and the answer: a text, or the name of its type."
    print(json.dumps({"ran": sorted(ran), "answer": answer if isinstance(answer, str) else type(answer).__name__}))
    ran.clear()
"""
_PYDANTIC_AI = """
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

openai = OpenAIProvider(base_url=OPENAI, api_key=KEY)
models = [
    OpenAIChatModel("gpt-4o", provider=openai),
    OpenAIResponsesModel("gpt-4o", provider=openai),
    AnthropicModel("claude-sonnet-5-5", provider=AnthropicProvider(base_url=ANTHROPIC, api_key=KEY)),
]
for model in models:
    for output in (str, Report):
        told(Agent(model, output_type=output, tools=[get_weather, get_time]).run_sync(ASK).output)
"""
_LANGCHAIN = """
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

models = [
    ChatOpenAI(model="gpt-4o", base_url=OPENAI, api_key=KEY, max_retries=0),
    ChatOpenAI(model="gpt-4o", base_url=OPENAI, api_key=KEY, max_retries=0, use_responses_api=True),
    ChatAnthropic(model="claude-sonnet-5-5", base_url=ANTHROPIC, api_key=KEY, max_retries=0),
]
for model in models:
    asked = {"messages": [("user", ASK)]}
    told(create_agent(model, [get_weather, get_time]).invoke(asked)["messages"][-1].text)
    agent = create_agent(model, [get_weather, get_time], response_format=ToolStrategy(Report))
    told(agent.invoke(asked)["structured_response"])
"""
_OPENAI = """
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)
client = AsyncOpenAI(base_url=OPENAI, api_key=KEY, max_retries=0)
tools = [function_tool(get_weather), function_tool(get_time)]
for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
    model = kind("gpt-4o", openai_client=client)
    for output in (None, Report):
        agent = Agent(name="reporter", model=model, tools=tools, output_type=output)
        told(Runner.run_sync(agent, ASK).final_output)
    desk = Agent(name="desk", model=model, handoffs=[Agent(name="expert", model=model, tools=tools)])
    told(Runner.run_sync(desk, ASK).final_output)
"""
_VERCEL = """
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const openai = createOpenAI({ baseURL: `${process.env.OPENAI}/v1`, apiKey: "sk-free-1" });
const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC}/v1`, apiKey: "sk-free-1" });
const thinking = { anthropic: { thinking: { type: "adaptive" } } };
const prompt = "What is the weather in Delft, and what time is it there?";
const input = z.object({ city: z.string() });
for (const model of [openai.chat("gpt-4o"), openai.responses("gpt-4o"), anthropic("claude-sonnet-5-5")]) {
  for (const ask of [generateText, streamText]) {
    const ran = [];
    const tools = {
      get_weather: tool({ inputSchema: input, execute: async () => ran.push("get_weather") && "18 C" }),
      get_time: tool({ inputSchema: input, execute: async () => ran.push("get_time") && "noon" }),
    };
    const asked = { model, prompt, tools, stopWhen: stepCountIs(9), maxRetries: 0, providerOptions: thinking };
    const answer = await ask(asked);
    const text = await answer.text;
    console.log(JSON.stringify({ ran: ran.sort(), answer: text }));
  }
}
"""
PYTHON = {
    _PYDANTIC_AI: ("pydantic-ai-slim[openai,anthropic]",),
    _LANGCHAIN: ("langchain", "langchain-openai", "langchain-anthropic"),
    _OPENAI: ("openai-agents",),
}
TOOLS = ["get_time", "get_weather"]


def runs(command: list[str], served: Served) -> list[dict[str, object]]:
    """What the program says of each of its runs."""
    providers = {"OPENAI": served.main, "ANTHROPIC": served.providers["anthropic"]}
    ran = subprocess.run(
        command, env={**os.environ, **providers}, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize(("program", "packages"), PYTHON.items(), ids=[each[0] for each in PYTHON.values()])
def test_an_agent_in_python_ends_with_its_answer(
    served: Served, tmp_path: Path, program: str, packages: tuple[str, ...]
) -> None:
    """In words, or with the output that it has to give; one that hands over leaves the calls to the other."""
    python = environment_of(tmp_path / "own", packages)

    for run in runs([str(python), "-c", _SHARED + program], served):
        assert run["ran"] in (TOOLS, TOOLS[1:])
        assert run["answer"] == "Report" or recognise(str(run["answer"]))[0].whole


def test_vercels_agent_ends_with_its_answer(served: Served, tmp_path: Path) -> None:
    """Long before its ninth step, plain and streamed."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    (tmp_path / "agent.mjs").write_text(_VERCEL)
    packages = ["ai@6", "@ai-sdk/openai", "@ai-sdk/anthropic", "zod"]
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=tmp_path, check=True)

    found = runs(["node", str(tmp_path / "agent.mjs")], served)

    assert [run["ran"] for run in found] == [TOOLS] * 6
    assert all(recognise(str(run["answer"]))[0].whole for run in found)
