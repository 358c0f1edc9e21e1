"""Requests in a loop: what failed is asked again at once."""

import os
import sys
import time

import requests

ends = time.monotonic() + float(sys.argv[1])
url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
question = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
while time.monotonic() < ends:
    if requests.post(url, headers=headers, json=question, timeout=10).ok:
        time.sleep(0.3)
