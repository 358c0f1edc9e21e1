// The same for node's clients; see python_clients.py. `setTimeout` is what they wait in: a timer that a function named
// `sleep` or `delay` sets is noted and fires at once. An attempt is a call of `fetch`.
import { readFileSync } from "node:fs";

let attempts = 0, waits = [];
const { fetch: realFetch, setTimeout: realTimer } = globalThis;
globalThis.fetch = (...request) => (attempts++, realFetch(...request));
globalThis.setTimeout = (then, milliseconds, ...more) => {
  if (!/\b(sleep|delay)\b/.test(new Error().stack)) return realTimer(then, milliseconds, ...more);
  waits.push([attempts, Math.max(0, milliseconds / 1000) || 0]);  // as a timer takes a negative one and NaN
  return realTimer(then, 0, ...more);
};
const messages = [{ role: "user", content: "?" }];
const version = (name) => JSON.parse(readFileSync(new URL(`./node_modules/${name}/package.json`, import.meta.url))).version;
const drain = async (answer, stream) => { if (stream) for await (const _ of answer); };

const CLIENTS = {
  "openai-node": ["openai", async ({ url, timeout, stream }) => {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "k", timeout: timeout * 1000 });
    await drain(await client.chat.completions.create({ model: "m", messages, stream }), stream);
  }],
  "anthropic-node": ["@anthropic-ai/sdk", async ({ url, timeout, stream }) => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const client = new Anthropic({ baseURL: url, apiKey: "k", timeout: timeout * 1000 });
    await drain(await client.messages.create({ model: "m", max_tokens: 9, messages, stream }), stream);
  }],
  "vercel-ai": ["ai", async ({ url, timeout, stream }) => {
    const [{ generateText, streamText }, { createOpenAI }] = [await import("ai"), await import("@ai-sdk/openai")];
    const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: "k" }).chat("m");
    if (!stream) return generateText({ model, prompt: "?", timeout: timeout * 1000 });
    await drain(streamText({ model, prompt: "?", onError() {} }).textStream, true);
  }],
};

const [name] = process.argv.slice(2);
const [packageName, ask] = CLIENTS[name];
const told = { version: version(packageName) };
for (const [question, how] of Object.entries(JSON.parse(readFileSync(0)))) {
  let error = "";
  attempts = 0, waits = [];
  try { await ask(how); } catch (raised) { error = String(raised).slice(0, 200); }
  told[question] = { attempts, waits, error };
}
process.stdout.write(JSON.stringify(told), () => process.exit(0));
