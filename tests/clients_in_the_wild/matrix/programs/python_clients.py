"""SDKs and frameworks in Python: `python python_clients.py NAME KIND=URL ...`.

Prints JSON lines: the versions, then what came of each request: {"took": text} or {"raised": class, "status"}.
"""

import asyncio
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

KEY, PATIENCE = "sk-free-1", float(os.environ["PATIENCE"])
MODEL, CLAUDE, GEMINI = "gpt-4o-mini", "claude-sonnet-5", "gemini-2.5-flash"
API_VERSION = "2024-10-21"  # of Azure
ASK: Any = [{"role": "user", "content": "What is the weather in Delft?"}]
TEXT: str = ASK[0]["content"]


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


FUNCTION = {"name": "get_weather", "parameters": Weather.model_json_schema()}
TOOLS: Any = {"tools": [{"type": "function", "function": FUNCTION}], "tool_choice": "required"}
CLAUDES: Any = {
    "tools": [{"name": "get_weather", "input_schema": Weather.model_json_schema()}],
    "tool_choice": {"type": "any"},
}


def openai_py(kind: str, url: str) -> Any:
    import openai

    return _asked(openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=PATIENCE), kind)


def openai_py_async(kind: str, url: str) -> Any:
    import openai

    return _asked_async(openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=PATIENCE), kind)


def azure_py(kind: str, url: str) -> Any:
    import openai

    way: Any = {"azure_endpoint": url, "api_version": API_VERSION, "api_key": KEY}
    return _asked(openai.AzureOpenAI(**way, max_retries=0, timeout=PATIENCE), kind)


def azure_py_async(kind: str, url: str) -> Any:
    import openai

    way: Any = {"azure_endpoint": url, "api_version": API_VERSION, "api_key": KEY}
    return _asked_async(openai.AsyncAzureOpenAI(**way, max_retries=0, timeout=PATIENCE), kind)


def openrouter_py(kind: str, url: str) -> Any:
    import openai

    return _asked(openai.OpenAI(base_url=f"{url}/api/v1", api_key=KEY, max_retries=0, timeout=PATIENCE), kind)


def _asked(client: Any, kind: str) -> Any:
    chat = client.chat.completions
    match kind:
        case "plain":
            return chat.create(model=MODEL, messages=ASK).choices[0].message.content
        case "stream":
            chunks = chat.create(model=MODEL, messages=ASK, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        case "tools":
            return _called(chat.create(model=MODEL, messages=ASK, **TOOLS))
    return chat.parse(model=MODEL, messages=ASK, response_format=Weather).choices[0].message.parsed


def _asked_async(client: Any, kind: str) -> Any:
    async def ask() -> Any:
        async with client:
            chat = client.chat.completions
            match kind:
                case "plain":
                    return (await chat.create(model=MODEL, messages=ASK)).choices[0].message.content
                case "stream":
                    chunks = await chat.create(model=MODEL, messages=ASK, stream=True)
                    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])
                case "tools":
                    return _called(await chat.create(model=MODEL, messages=ASK, **TOOLS))
            parsed = await chat.parse(model=MODEL, messages=ASK, response_format=Weather)
            return parsed.choices[0].message.parsed

    return asyncio.run(ask())


def _called(answer: Any) -> Any:
    """The arguments of the first call of a tool, in OpenAI's objects."""
    calls = answer.choices[0].message.tool_calls
    return calls[0].function.arguments if calls else ""


def anthropic_py(kind: str, url: str) -> Any:
    import anthropic

    messages = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=PATIENCE).messages
    ask: Any = {"model": CLAUDE, "max_tokens": 100, "messages": ASK}
    match kind:
        case "plain":
            return "".join(block.text for block in messages.create(**ask).content)
        case "stream":
            with messages.stream(**ask) as stream:
                return "".join(stream.text_stream)
        case "tools":
            return next((block.input for block in messages.create(**ask, **CLAUDES).content), "")
    return messages.parse(**ask, output_format=Weather).parsed_output


def _gemini(kind: str, url: str) -> tuple[Any, dict[str, Any]]:
    """A client and what it is asked; a function is called by us."""
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=url, timeout=int(1000 * PATIENCE)))
    config: dict[str, Any] = {"automatic_function_calling": {"disable": True}}
    if kind == "tools":
        function = {"name": "get_weather", "parameters_json_schema": Weather.model_json_schema()}
        calling = {"function_calling_config": {"mode": "ANY"}}
        config |= {"tools": [{"function_declarations": [function]}], "tool_config": calling}
    if kind == "structured":
        config |= {"response_mime_type": "application/json", "response_schema": Weather}
    return client, {"model": GEMINI, "contents": TEXT, "config": config}


def _given(kind: str, answer: Any) -> Any:
    if kind == "tools":
        return answer.function_calls[0].args if answer.function_calls else ""
    return answer.parsed if kind == "structured" else answer.text


def google_genai(kind: str, url: str) -> Any:
    client, ask = _gemini(kind, url)
    if kind == "stream":
        return "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**ask))
    return _given(kind, client.models.generate_content(**ask))


def google_genai_async(kind: str, url: str) -> Any:
    async def asked() -> Any:
        client, ask = _gemini(kind, url)
        async with client.aio as sdk:
            if kind != "stream":
                return _given(kind, await sdk.models.generate_content(**ask))
            return "".join([chunk.text or "" async for chunk in await sdk.models.generate_content_stream(**ask)])

    return asyncio.run(asked())


def langchain(kind: str, url: str) -> Any:
    from langchain_openai import ChatOpenAI

    known: Any = {"base_url": f"{url}/v1", "api_key": KEY, "timeout": PATIENCE}
    chat = ChatOpenAI(model=MODEL, max_retries=0, **known)
    match kind:
        case "plain":
            return chat.invoke(TEXT).content
        case "stream":
            return "".join(str(chunk.content) for chunk in chat.stream(TEXT))
        case "tools":
            calls = chat.bind_tools([Weather], tool_choice="any").invoke(TEXT).tool_calls
            return calls[0]["args"] if calls else ""
    return chat.with_structured_output(Weather).invoke(TEXT)


def litellm(kind: str, url: str) -> Any:
    import litellm

    litellm.suppress_debug_info = True

    def ask(**more: Any) -> Any:
        known = {"api_base": f"{url}/v1", "api_key": KEY, "max_retries": 0, "timeout": PATIENCE}
        return litellm.completion(f"openai/{MODEL}", ASK, **known, **more)

    match kind:
        case "plain":
            return ask().choices[0].message.content
        case "stream":
            return "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True) if chunk.choices)
        case "tools":
            return _called(ask(**TOOLS))
    return Weather.model_validate_json(ask(response_format=Weather).choices[0].message.content)


def llama_index(kind: str, url: str) -> Any:
    from llama_index.core.prompts import PromptTemplate
    from llama_index.core.tools import FunctionTool
    from llama_index.llms.openai import OpenAI

    def get_weather(city: str, degrees: int) -> str:
        return f"{city}: {degrees}"

    chat = OpenAI(model=MODEL, api_base=f"{url}/v1", api_key=KEY, max_retries=0, timeout=PATIENCE)
    match kind:
        case "plain":
            return chat.complete(TEXT).text
        case "stream":
            return "".join(part.delta or "" for part in chat.stream_complete(TEXT))
        case "tools":
            tool = FunctionTool.from_defaults(get_weather)
            answer = chat.chat_with_tools([tool], TEXT, tool_required=True)
            calls = chat.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
            return calls[0].tool_kwargs if calls else ""
    return chat.structured_predict(Weather, PromptTemplate(TEXT))


def instructor(kind: str, url: str) -> Any:
    import instructor
    import openai

    mode = instructor.Mode.JSON_SCHEMA if kind == "structured" else instructor.Mode.TOOLS
    sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=PATIENCE)
    chat: Any = instructor.from_openai(sdk, mode=mode).chat.completions
    ask: Any = {"model": MODEL, "messages": ASK, "max_retries": 0}
    match kind:
        case "plain":
            return chat.create(response_model=None, **ask).choices[0].message.content
        case "stream":
            return list(chat.create_partial(response_model=Weather, **ask))[-1]
    return chat.create(response_model=Weather, **ask)


def pydantic_ai(kind: str, url: str) -> Any:
    import openai
    from pydantic_ai import Agent, NativeOutput, ToolOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def ask() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=PATIENCE) as sdk:
            model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=sdk))
            output: Any = {"tools": ToolOutput(Weather), "structured": NativeOutput(Weather)}.get(kind, str)
            agent: Any = Agent(model, output_type=output, retries=0)
            if kind != "stream":
                return (await agent.run(TEXT)).output
            async with agent.run_stream(TEXT) as streamed:
                return "".join([piece async for piece in streamed.stream_text(delta=True)])

    return asyncio.run(ask())


# Each with the distributions whose versions the table shows.
CLIENTS: Mapping[Callable[[str, str], Any], tuple[str, ...]] = {
    openai_py: ("openai",),
    openai_py_async: ("openai",),
    azure_py: ("openai",),
    azure_py_async: ("openai",),
    openrouter_py: ("openai",),
    anthropic_py: ("anthropic",),
    langchain: ("langchain-openai",),
    litellm: ("litellm",),
    llama_index: ("llama-index-llms-openai",),
    instructor: ("instructor",),
    pydantic_ai: ("pydantic-ai-slim",),
    google_genai: ("google-genai",),
    google_genai_async: ("google-genai",),
}


def outcome(client: Callable[[str, str], Any], kind: str, url: str) -> dict[str, Any]:
    """What the client made of one request."""
    try:
        took = client(kind, url)
    except Exception as error:  # noqa: BLE001, RUF100 - whatever it raises is what the table shows
        name = f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}"
        code = getattr(error, "code", None) if name.startswith("google.") else getattr(error, "status_code", None)
        return {"raised": name.removeprefix("builtins."), "status": code}
    if isinstance(took, BaseModel):
        took = took.model_dump()
    return {"took": took if isinstance(took, str) else "" if took is None else json.dumps(took)}


def say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def main() -> None:
    client = next(each for each in CLIENTS if each.__name__ == sys.argv[1])
    say({"versions": [f"{name} {importlib.metadata.version(name)}" for name in CLIENTS[client]]})
    for kind, _, url in (pair.partition("=") for pair in sys.argv[2:]):
        say(outcome(client, kind, url))


if __name__ == "__main__":
    main()
