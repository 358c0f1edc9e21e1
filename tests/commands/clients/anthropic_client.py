"""The other official SDK with its defaults."""

import sys
import time

import anthropic

ends = time.monotonic() + float(sys.argv[1])
client = anthropic.Anthropic()
while time.monotonic() < ends:
    client.messages.create(model="claude-sonnet-5", max_tokens=50, messages=[{"role": "user", "content": "hi"}])
    time.sleep(0.2)
