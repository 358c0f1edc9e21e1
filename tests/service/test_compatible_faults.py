"""What openai's SDK raises under each fault of a provider that speaks OpenAI's API: a committed table, played again.

`MOCKBOT_RECORD=1 python -m pytest -m nightly tests/service/test_compatible_faults.py` writes it anew. Azure and
OpenRouter are columns of docs/clients.md, too.
"""

import json
import os
from pathlib import Path
from typing import Any

import openai
import pytest

from mockbot.dialects.compatible.compatible_providers import PROVIDERS, Provider
from tests.clients_in_the_wild.matrix.cells import FAULTS, PATIENCE
from tests.clients_in_the_wild.matrix.play import broken_providers

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

TABLE = Path(__file__).with_name("compatible_faults.json")
HELLO: Any = [{"role": "user", "content": "Hello there"}]
SOON = [fault for fault in FAULTS if not fault.startswith(("stall", "capacity", "slow"))]


def met(url: str, model: str, *, streamed: bool) -> str:
    """What one call comes to: what it raises, with the status and code, or how many words it takes for an answer."""
    with openai.OpenAI(base_url=url, api_key="sk-free-1", max_retries=0, timeout=PATIENCE) as client:
        try:
            if streamed:
                chunks = client.chat.completions.create(model=model, messages=HELLO, stream=True)
                text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            else:
                text = client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content or ""
        except openai.APIError as error:
            status = getattr(error, "status_code", "")
            return " ".join(str(each) for each in (type(error).__name__, status, error.code) if each not in ("", None))
        except (json.JSONDecodeError, TypeError) as error:  # of a body that is none, and of a 200 without choices
            return type(error).__name__
    return f"{len(text.split())} words"


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        *(pytest.param(row, [*FAULTS], id=f"{row.name}-all", marks=pytest.mark.nightly) for row in PROVIDERS),
        *(
            pytest.param(row, SOON[index :: len(PROVIDERS)], id=f"{row.name}-some", marks=pytest.mark.second)
            for index, row in enumerate(PROVIDERS)
        ),
    ],
)
def test_the_sdk_meets_a_fault_as_the_table_says(row: Provider, faults: list[str], tmp_path: Path) -> None:
    """Plain and streamed, without retries; the second tier meets each fault at one of the providers."""
    with broken_providers(tmp_path, row.name) as urls:
        bases = {fault: urls[fault] + row.bases[0] for fault in faults}
        found = {
            fault: [met(base, row.models[0], streamed=False), met(base, row.models[0], streamed=True)]
            for fault, base in bases.items()
        }
    committed = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}
    if os.environ.get("MOCKBOT_RECORD"):
        committed[row.name] = committed.get(row.name, {}) | found
        TABLE.write_text(json.dumps(committed, indent=1) + "\n", "utf-8")

    assert found == {fault: committed[row.name][fault] for fault in faults}
