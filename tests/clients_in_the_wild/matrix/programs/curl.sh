#!/bin/sh
# `sh curl.sh curl KIND=URL ...`; what it prints is as Client.java has it.
echo "{\"versions\": [\"$(curl --version | head -1 | cut -d' ' -f1,2)\"]}"
shift
taken=$(mktemp)
for pair in "$@"; do
    eval "body=\$BODY_$(echo "${pair%%=*}" | tr a-z A-Z)"
    status=$(curl -s -N --max-time "$PATIENCE" -o "$taken" -w '%{http_code}' -H "Authorization: Bearer sk-free-1" \
        -H "Content-Type: application/json" -d "$body" "${pair#*=}/v1/chat/completions")
    code=$?
    if [ $code = 0 ]; then
        echo "{\"status\": $status, \"body64\": \"$(base64 -w 0 "$taken")\"}"
    else
        echo "{\"raised\": \"exit $code\"}"
    fi
    : >"$taken"
done
rm "$taken"
