"""HOW A CLIENT REACTS: retry policies as decisions, without a clock or a socket. Pure."""
