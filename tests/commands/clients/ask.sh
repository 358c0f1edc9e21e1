#!/bin/sh
# Ask the chatbot for $1 seconds, with curl's own retries (it waits for Retry-After; --fail, because it cannot retry
# into /dev/null what it has half written).
set -u
ends=$(( $(date +%s) + $1 ))
number=0
while [ "$(date +%s)" -lt "$ends" ]; do
  number=$((number + 1))
  curl --silent --fail --output /dev/null --retry 10 --max-time 30 \
    "$OPENAI_BASE_URL/chat/completions" \
    -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \
    -d "{\"model\": \"gpt-4o\", \"messages\": [{\"role\": \"user\", \"content\": \"question $number\"}]}"
  sleep 0.3
done
