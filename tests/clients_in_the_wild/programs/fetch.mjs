// Node's own fetch in a loop: `node fetch.mjs fetch polite|hammering|gives_up`, as in python_clients.py.
const QUESTIONS = [
  "What is the capital of France?", "Write a haiku about snow.", "Translate 'good morning' into Dutch.",
  "Why is the sky blue?", "Name a fruit that floats.",
];
const kind = process.argv[3];

for (const text of kind === "gives_up" ? QUESTIONS : Array(12).fill(QUESTIONS[0])) {
  const answer = await fetch(`${process.env.OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: text }] }),
  });
  await answer.text();
  if (answer.ok) break;
  if (kind === "polite") {
    await new Promise((resume) => setTimeout(resume, 1000 * Number(answer.headers.get("retry-after") ?? 0) + 50));
  }
}
