#!/bin/sh
# curl: `sh curl.sh curl polite|hammering|gives_up`, as in python_clients.py. `--retry` waits as it is told, so
# with it hammering is a loop; each run of curl has a connection of its own.
ask() {
    text=$1
    shift
    curl -sf -o /dev/null "$@" "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" \
        -H "Content-Type: application/json" -d "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"$text\"}]}"
}

case $2 in
polite) ask "What is the capital of France?" --retry 3 ;;
hammering) for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do ask "What is the capital of France?" && break; done ;;
gives_up)
    ask "What is the capital of France?"
    ask "Write a haiku about snow."
    ask "Translate 'good morning' into Dutch."
    ask "Why is the sky blue?"
    ask "Name a fruit that floats."
    ;;
esac
exit 0
