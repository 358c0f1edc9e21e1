"""Programs that know nothing of mockbot: each asks its provider's public host until an outage is over."""

import textwrap

# name -> statements that prepare it, and one question; whatever fails is caught outside.
QUESTIONS = {
    "openai": (
        "import openai; client = openai.OpenAI()",
        "client.chat.completions.create(**body(n))",
    ),
    "openai async": (
        "import asyncio, openai",
        "asyncio.run(openai.AsyncOpenAI().chat.completions.create(**body(n)))",
    ),
    "anthropic": (
        "import anthropic; client = anthropic.Anthropic()",
        "client.messages.create(**body(n) | {'model': 'claude-sonnet-5-5', 'max_tokens': 50})",
    ),
    "google-genai": (
        "from google import genai; client = genai.Client()",
        "client.models.generate_content(model='gemini-2.5-flash', contents=str(n))",
    ),
    "boto3": (
        "import boto3; client = boto3.client('bedrock-runtime')",
        "client.converse(modelId='amazon.nova-lite-v1:0', messages=[{'role': 'user', 'content': [{'text': str(n)}]}])",
    ),
    "litellm": (
        "import litellm; litellm.drop_params = True",
        "litellm.completion(model='openai/gpt-4o', messages=[{'role': 'user', 'content': str(n)}])",
    ),
    "httpx": (
        "import httpx; client = httpx.Client()",
        "client.post(URL, json=body(n), headers=KEY).raise_for_status()",
    ),
    "requests": ("import requests", "requests.post(URL, json=body(n), headers=KEY).raise_for_status()"),
    "urllib": (
        "import json, urllib.request as u",
        "u.urlopen(u.Request(URL, json.dumps(body(n)).encode(), {**KEY, 'content-type': 'application/json'})).read()",
    ),
    "aiohttp": ("import aiohttp, asyncio", "asyncio.run(ask(n))"),
    "aiohttp trust_env": ("import aiohttp, asyncio; TRUST = True", "asyncio.run(ask(n))"),
}
_PROGRAM = """
import os, sys, time
URL = os.environ.get("LLM_URL", "https://api.openai.com/v1/chat/completions")
KEY = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
TRUST = False
def body(n):
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": str(n)}]}
async def ask(n):
    async with aiohttp.ClientSession(trust_env=TRUST) as session:
        async with session.post(URL, json=body(n), headers=KEY) as answer:
            answer.raise_for_status()
            await answer.read()
PREPARED
end, n, failed, over = time.monotonic() + float(sys.argv[1]), 0, 0, False
while time.monotonic() < end and not over:
    n += 1
    try:
        ASKED
        over = failed > 0
    except Exception as error:
        failed += 1
        print("FAILED", type(error).__name__, str(error)[:200], flush=True)
    time.sleep(0.3)
print("it works again" if over else "it never failed, or never works")
"""


def program(name: str) -> str:
    """The text of a Python program, which ends after so many seconds as its argument, or as soon as it works again."""
    prepared, asked = QUESTIONS[name]
    return textwrap.dedent(_PROGRAM).replace("PREPARED", prepared).replace("ASKED", asked)


NODE = """
const end = Date.now() + 1000 * Number(process.argv[2])
while (Date.now() < end) {
  await fetch(process.env.LLM_URL, {
    method: "POST", headers: { authorization: "Bearer x", "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }),
  }).then(answer => answer.text()).catch(error => console.log(String(error.cause ?? error)))
  await new Promise(resolve => setTimeout(resolve, 300))
}
"""
CURL = """
end=$(($(date +%s) + $1)); n=0
while [ "$(date +%s)" -lt "$end" ]; do
    n=$((n + 1))
    curl -s --http2 -m 20 -o /dev/null -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\
        -d "{\\"model\\": \\"gpt-4o\\", \\"messages\\": [{\\"role\\": \\"user\\", \\"content\\": \\"$n\\"}]}" \\
        https://api.openai.com/v1/chat/completions
    echo "curl $?"
    sleep 0.3
done
"""
