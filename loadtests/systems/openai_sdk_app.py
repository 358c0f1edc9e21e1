"""An application as teams write them: asks one provider with the openai SDK, then the other, then apologises.

Each call has a timeout and the SDK's own retries; nothing remembers that a provider is down. Judge it with
`mockbot run SCENARIO --system openai-sdk-app`.
"""

import os

from fastapi import FastAPI
from openai import AsyncOpenAI, OpenAIError
from pydantic import BaseModel

app = FastAPI()
CLIENTS = [AsyncOpenAI(base_url=os.environ[name], timeout=10.0) for name in ("MAIN_URL", "OTHER_URL")]


class Asked(BaseModel):
    """What the browser sends."""

    text: str


@app.get("/health")
async def health() -> dict[str, bool]:
    """Ready as soon as it listens."""
    return {"ok": True}


@app.post("/ask")
async def ask(asked: Asked) -> dict[str, str]:
    """One question, one answer."""
    for client in CLIENTS:
        try:
            answer = await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": asked.text}]
            )
        except OpenAIError:
            continue
        return {"answer": answer.choices[0].message.content or ""}
    return {"answer": "The assistant is temporarily unavailable. Please try again later."}
