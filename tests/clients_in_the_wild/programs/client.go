// net/http in a loop: `client net_http polite|hammering|gives_up`, as in python_clients.py.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var questions = []string{
	"What is the capital of France?", "Write a haiku about snow.", "Translate 'good morning' into Dutch.",
	"Why is the sky blue?", "Name a fruit that floats.",
}

func main() {
	kind, texts := os.Args[2], questions
	if kind != "gives_up" {
		texts = make([]string, 12)
		for n := range texts {
			texts[n] = questions[0]
		}
	}
	for _, text := range texts {
		body, _ := json.Marshal(map[string]any{
			"model": "gpt-4o", "messages": []map[string]string{{"role": "user", "content": text}},
		})
		url := os.Getenv("OPENAI_BASE_URL") + "/chat/completions"
		request, _ := http.NewRequest("POST", url, strings.NewReader(string(body)))
		request.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_API_KEY"))
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode == 200 {
			return
		}
		if kind == "polite" {
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			time.Sleep(time.Duration(seconds)*time.Second + 50*time.Millisecond)
		}
	}
}
