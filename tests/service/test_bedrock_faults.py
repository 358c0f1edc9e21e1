"""What boto3 raises under each fault of the service is a committed table, `bedrock_faults.json`, that is played again.

`MOCKBOT_RECORD=1 python -m pytest -m nightly tests/service/test_bedrock_faults.py` writes it anew.
"""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from mockbot.dialects.client_identity import api_key
from tests.clients_in_the_wild.matrix.cells import FAULTS, PATIENCE
from tests.clients_in_the_wild.matrix.play import Urls, broken_providers

pytestmark = pytest.mark.live

TABLE = Path(__file__).with_name("bedrock_faults.json")
HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
SOON = [fault for fault in FAULTS if not fault.startswith(("stall", "capacity", "slow"))]


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """The base URL of each fault's provider; each answers Bedrock's paths."""
    with broken_providers(tmp_path_factory.mktemp("service")) as urls:
        yield urls


def met(url: str, *, streamed: bool) -> str:
    """What one call comes to: the class of what it raises, with its code, or how many words it takes for an answer."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE, connect_timeout=PATIENCE)
    credentials = {"aws_access_key_id": api_key("free", "1"), "aws_secret_access_key": "s", "region_name": "us-east-1"}
    with closing(boto3.client("bedrock-runtime", endpoint_url=url, config=config, **credentials)) as client:
        try:
            text = _streamed(client) if streamed else _plain(client)
        except ClientError as error:
            return f"{type(error).__name__} {error.response['Error']['Code']}"
        # KeyError: boto3 takes a body that is no JSON for an answer without members.
        except (BotoCoreError, ParserError, ResponseParserError, HTTPError, KeyError) as error:
            return type(error).__name__
    return f"{len(text.split())} words"


def _plain(client: Any) -> str:
    content = client.converse(modelId="mockbot", messages=HELLO)["output"]["message"]["content"]
    return str(content[0]["text"]) if content else ""


def _streamed(client: Any) -> str:
    with closing(client.converse_stream(modelId="mockbot", messages=HELLO)["stream"]) as stream:
        return "".join(each.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for each in stream)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(SOON, id="soon", marks=pytest.mark.second),
        pytest.param([*FAULTS], id="all", marks=pytest.mark.nightly),
    ],
)
def test_boto3_meets_a_fault_as_the_table_says(urls: Urls, faults: list[str]) -> None:
    """Plain and streamed, without boto3's own retries."""
    found = {
        fault: {"plain": met(urls[fault], streamed=False), "stream": met(urls[fault], streamed=True)}
        for fault in faults
    }
    if os.environ.get("MOCKBOT_RECORD"):
        TABLE.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    committed = json.loads(TABLE.read_text("utf-8"))

    assert found == {fault: committed[fault] for fault in faults}
