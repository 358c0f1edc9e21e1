// Go: `clients net_http|openai_go KIND=URL ...`; what it prints is as Client.java has it for net_http, and as
// python_clients.py has it for openai_go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"
)

type outcome map[string]any

var patience = func() time.Duration {
	seconds, _ := strconv.ParseFloat(os.Getenv("PATIENCE"), 64)
	return time.Duration(seconds * float64(time.Second))
}()
var client = &http.Client{Timeout: patience}

func main() {
	ask, versions := netHTTP, []string{}
	if os.Args[1] == "openai_go" {
		ask = openaiGo
		info, _ := debug.ReadBuildInfo()
		for _, each := range info.Deps {
			if strings.HasPrefix(each.Path, "github.com/openai/") {
				versions = append(versions, "openai-go "+strings.TrimPrefix(each.Version, "v"))
			}
		}
	}
	say(outcome{"versions": append(versions, "Go "+strings.TrimPrefix(runtime.Version(), "go"))})
	for _, pair := range os.Args[2:] {
		kind, url, _ := strings.Cut(pair, "=")
		say(ask(kind, url+"/v1"))
	}
}

func say(line outcome) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func netHTTP(kind, url string) outcome {
	body := strings.NewReader(os.Getenv("BODY_" + strings.ToUpper(kind)))
	request, _ := http.NewRequest("POST", url+"/chat/completions", body)
	request.Header.Set("Authorization", "Bearer sk-free-1")
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return raised(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return raised(err)
	}
	return outcome{"status": answer.StatusCode, "body64": text} // bytes become base64
}

func openaiGo(kind, url string) outcome {
	chat := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("sk-free-1"),
		option.WithMaxRetries(0), option.WithHTTPClient(client)).Chat.Completions
	ask := openai.ChatCompletionNewParams{
		Model:    "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("What is the weather in Delft?")},
	}
	schema := map[string]any{}
	_ = json.Unmarshal([]byte(os.Getenv("SCHEMA")), &schema)
	switch kind {
	case "stream":
		text, stream := "", chat.NewStreaming(context.Background(), ask)
		for stream.Next() {
			if choices := stream.Current().Choices; len(choices) > 0 {
				text += choices[0].Delta.Content
			}
		}
		return result(text, stream.Err())
	case "tools":
		ask.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
			shared.FunctionDefinitionParam{Name: "get_weather", Parameters: schema})}
		ask.ToolChoice.OfAuto = param.NewOpt("required")
	case "structured":
		ask.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: "weather", Strict: param.NewOpt(true), Schema: schema}}
	}
	answer, err := chat.New(context.Background(), ask)
	if err != nil {
		return raised(err)
	}
	message := answer.Choices[0].Message
	if kind == "tools" && len(message.ToolCalls) > 0 {
		return result(message.ToolCalls[0].Function.Arguments, nil)
	}
	return result(message.Content, nil)
}

func result(text string, err error) outcome {
	if err != nil {
		return raised(err)
	}
	return outcome{"took": text}
}

// The outermost type of an error, and, where it says little, what is at its root.
func raised(err error) outcome {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return outcome{"raised": "openai.Error", "status": refused.StatusCode}
	}
	name := strings.TrimPrefix(fmt.Sprintf("%T", err), "*")
	if err == context.DeadlineExceeded {
		// Client.Timeout is a deadline and a timer: a read that the first ends names the second only if that has fired
		// (cancelTimerBody in net/http/client.go). Either may come first.
		name = "http.timeoutError"
	}
	var network net.Error
	var number syscall.Errno
	switch {
	case errors.As(err, &network) && network.Timeout():
		name += " (timeout)"
	case errors.As(err, &number):
		name += " (" + number.Error() + ")"
	case errors.Is(err, io.ErrUnexpectedEOF):
		name += " (unexpected EOF)"
	}
	return outcome{"raised": name}
}
