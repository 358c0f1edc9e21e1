"""THE CHATBOT THAT DEGRADES: a capacity model without I/O behind a real HTTP API."""
