"""The official SDK with its defaults, which shows its user an error when it gives up."""

import sys
import time

import openai

ends = time.monotonic() + float(sys.argv[1])
client = openai.OpenAI()
number = 0
while time.monotonic() < ends:
    number += 1
    try:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": f"question {number}"}])
    except openai.APIError:
        sys.stdout.write("Sorry, please try again later.\n")
    time.sleep(0.2)
