"""The scenario language, from text to timeline."""
