// SDKs for Node: `node node_clients.mjs NAME KIND=URL ...`; what it prints is as python_clients.py has it, and
// {"raised": "hangs"} for what has not ended long after its timeout, which ends with the headers in these SDKs.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { CLIENTS_JS } = process.env; // the folder whose node_modules has them
const require = createRequire(join(CLIENTS_JS, "/"));
const load = async (name) => import(require.resolve(name));
const { z } = await load("zod");
const PATIENCE = 1000 * Number(process.env.PATIENCE), KEY = "sk-free-1";
const TEXT = "What is the weather in Delft?", ASK = [{ role: "user", content: TEXT }];
const Weather = z.object({ city: z.string(), degrees: z.int() });
const SCHEMA = {
  type: "object", properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"], additionalProperties: false,
};

async function openai_node(kind, url) {
  const { OpenAI } = await load("openai");
  return asked(new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0, timeout: PATIENCE }), kind);
}

async function azure_node(kind, url) {
  const { AzureOpenAI } = await load("openai");
  const way = { endpoint: url, apiKey: KEY, apiVersion: "2024-10-21", deployment: "gpt-4o-mini" };
  return asked(new AzureOpenAI({ ...way, maxRetries: 0, timeout: PATIENCE }), kind);
}

async function asked(sdk, kind) {
  const { zodResponseFormat } = await load("openai/helpers/zod");
  const chat = sdk.chat.completions, ask = { model: "gpt-4o-mini", messages: ASK };
  if (kind === "plain") return (await chat.create(ask)).choices[0].message.content;
  if (kind === "stream") {
    let text = "";
    for await (const chunk of await chat.create({ ...ask, stream: true })) text += chunk.choices[0]?.delta.content ?? "";
    return text;
  }
  if (kind === "tools") {
    const tools = [{ type: "function", function: { name: "get_weather", parameters: SCHEMA } }];
    const answer = await chat.create({ ...ask, tools, tool_choice: "required" });
    return answer.choices[0].message.tool_calls?.[0].function.arguments;
  }
  return (await chat.parse({ ...ask, response_format: zodResponseFormat(Weather, "weather") })).choices[0].message.parsed;
}

async function anthropic_node(kind, url) {
  const { Anthropic } = await load("@anthropic-ai/sdk");
  const { zodOutputFormat } = await load("@anthropic-ai/sdk/helpers/zod");
  const { messages } = new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0, timeout: PATIENCE });
  const ask = { model: "claude-sonnet-5", max_tokens: 100, messages: ASK };
  if (kind === "plain") return (await messages.create(ask)).content.map((block) => block.text).join("");
  if (kind === "stream") {
    let text = "";
    for await (const event of messages.stream(ask)) if (event.type === "content_block_delta") text += event.delta.text;
    return text;
  }
  if (kind === "tools") {
    const tools = [{ name: "get_weather", input_schema: SCHEMA }];
    return (await messages.create({ ...ask, tools, tool_choice: { type: "any" } })).content[0]?.input;
  }
  return (await messages.parse({ ...ask, output_config: { format: zodOutputFormat(Weather) } })).parsed_output;
}

async function vercel_ai(kind, url) {
  const { generateText, streamText, Output, tool } = await load("ai");
  const { createOpenAI } = await load("@ai-sdk/openai");
  const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: KEY })("gpt-4o-mini");
  const ask = { model, prompt: TEXT, maxRetries: 0, abortSignal: AbortSignal.timeout(PATIENCE) };
  if (kind === "plain") return (await generateText(ask)).text;
  if (kind === "stream") {
    let text = "";
    // Its textStream ends without a word when something fails; only fullStream has the error.
    for await (const part of streamText({ ...ask, onError: () => {} }).fullStream) {
      if (part.type === "error") throw part.error;
      if (part.type === "abort") throw new DOMException("aborted", "AbortError");
      if (part.type === "text-delta") text += part.text;
    }
    return text;
  }
  if (kind === "tools") {
    const tools = { get_weather: tool({ inputSchema: Weather }) };
    return (await generateText({ ...ask, tools, toolChoice: "required" })).toolCalls[0]?.input;
  }
  return (await generateText({ ...ask, output: Output.object({ schema: Weather }) })).output;
}

async function google_genai_node(kind, url) {
  const { GoogleGenAI } = await load("@google/genai");
  const { models } = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: url, timeout: PATIENCE } });
  const ask = { model: "gemini-2.5-flash", contents: TEXT };
  if (kind === "plain") return (await models.generateContent(ask)).text;
  if (kind === "stream") {
    let text = "";
    for await (const chunk of await models.generateContentStream(ask)) text += chunk.text ?? "";
    return text;
  }
  if (kind === "tools") {
    const tools = [{ functionDeclarations: [{ name: "get_weather", parametersJsonSchema: SCHEMA }] }];
    const toolConfig = { functionCallingConfig: { mode: "ANY" } };
    return (await models.generateContent({ ...ask, config: { tools, toolConfig } })).functionCalls?.[0].args;
  }
  const config = { responseMimeType: "application/json", responseJsonSchema: SCHEMA };
  return (await models.generateContent({ ...ask, config })).text;
}

const CLIENTS = {
  openai_node: [openai_node, "openai"], azure_node: [azure_node, "openai"],
  anthropic_node: [anthropic_node, "@anthropic-ai/sdk"], vercel_ai: [vercel_ai, "ai", "@ai-sdk/openai"],
  google_genai_node: [google_genai_node, "@google/genai"],
};
const [client, ...packages] = CLIENTS[process.argv[2]];
const version = (name) => JSON.parse(readFileSync(join(CLIENTS_JS, "node_modules", name, "package.json"))).version;
const say = (line) => console.log(JSON.stringify(line));

function nameOf(error) {
  const own = error.constructor.name;
  return error.name?.startsWith("AI_") || own === "DOMException" ? error.name : own;
}

say({ versions: [...packages.map((name) => `${name} ${version(name)}`), `node ${process.versions.node}`] });
for (const pair of process.argv.slice(3)) {
  const [kind, url] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
  try {
    const hangs = new Promise((done) => setTimeout(done, 3 * PATIENCE, undefined));
    const took = await Promise.race([client(kind, url).then((it) => it ?? ""), hangs]);
    if (took === undefined) say({ raised: "hangs" });
    else say({ took: typeof took === "string" ? took : JSON.stringify(took) });
  } catch (error) {
    say({ raised: nameOf(error), status: error.status ?? error.statusCode ?? null });
  }
}
process.exit(0); // not before, while a stalled stream is still open
