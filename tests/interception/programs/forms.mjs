// Node's fetch, or undici's: `node forms.mjs fetch|undici SECONDS`, as program() in clients.py.
let ask = fetch
if (process.argv[2] === "undici") {
  const undici = await import(process.env.UNDICI)
  undici.setGlobalDispatcher(new undici.EnvHttpProxyAgent())
  ask = undici.fetch
}
const end = Date.now() + 1000 * Number(process.argv[3])
let failed = false, over = false
while (Date.now() < end && !over) {
  const wrong = await ask("https://api.openai.com/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.OPENAI_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }),
  }).then(async answer => { await answer.text(); return answer.ok ? "" : `status ${answer.status}` })
    .catch(error => String(error.cause ?? error))
  over = failed && !wrong
  if (wrong) {
    failed = true
    console.log("FAILED", wrong)
  }
  await new Promise(resolve => setTimeout(resolve, 300))
}
console.log(over ? "it works again" : "it never failed, or never works")
