// Go's net/http: `go run forms.go SECONDS`, as program() in clients.py.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const body = `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`

func ask() string {
	request, err := http.NewRequest("POST", "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	if answer.StatusCode != 200 {
		return answer.Status
	}
	return ""
}

func main() {
	seconds, _ := strconv.Atoi(os.Args[1])
	failed := false
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if wrong := ask(); wrong != "" {
			failed = true
			fmt.Println("FAILED", wrong)
		} else if failed {
			fmt.Println("it works again")
			return
		}
	}
	fmt.Println("it never failed, or never works")
}
