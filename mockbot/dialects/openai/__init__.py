"""OpenAI's API: chat completions, responses, embeddings, models, and the bodies of its errors."""
