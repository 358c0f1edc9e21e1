"""Gemini at Vertex AI: the same methods below a project and a location, with their own 429 and 404.

cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference; its 429 has no details
(github.com/google-gemini/gemini-cli/issues/14811).
"""

from mockbot.dialects.gemini.count_tokens import CountTokens
from mockbot.dialects.gemini.embeddings import EmbedContent
from mockbot.dialects.gemini.endpoint import vertex_paths
from mockbot.dialects.gemini.generate_content import GenerateContent, StreamGenerateContent


class VertexGenerateContent(GenerateContent):
    """An answer in one piece, at Vertex AI."""

    path, also = vertex_paths("generateContent")
    vertex = True


class VertexStreamGenerateContent(StreamGenerateContent):
    """An answer in events, or in the members of an array, at Vertex AI."""

    path, also = vertex_paths("streamGenerateContent")
    vertex = True


class VertexCountTokens(CountTokens):
    """A count of tokens, at Vertex AI."""

    path, also = vertex_paths("countTokens")
    vertex = True


class VertexEmbedContent(EmbedContent):
    """One embedding, at Vertex AI."""

    path, also = vertex_paths("embedContent")
    vertex = True
