// The official Node SDK with its defaults, which shows its user an error when it gives up.
import OpenAI from "openai";

const ends = Date.now() + 1000 * Number(process.argv[2]);
const client = new OpenAI();
for (let number = 1; Date.now() < ends; number++) {
  try {
    await client.chat.completions.create({
      model: "gpt-4o",
      messages: [{ role: "user", content: `question ${number}` }],
    });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    console.log("Sorry, please try again later.");
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
