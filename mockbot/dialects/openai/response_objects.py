"""The objects that a response consists of: an answer's metadata and parts in, JSON out. Pure."""

from mockbot.dialects.answer_parts import Choice, Part, Tool
from mockbot.dialects.dialect import AnswerMetadata, Json, Thinking
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.endpoint import cached_tokens
from mockbot.dialects.openai.logprobs import logprobs


def status_of(choice: Choice) -> str:
    """How a response of this choice ends."""
    return "incomplete" if choice.ending == "length" else "completed"


def response_object(meta: AnswerMetadata, status: str, output: list[Json], thought: int = 0) -> Json:
    """The response as an object; `thought`: tokens of its reasoning."""
    question, finished, failed = meta.question, status in ("completed", "incomplete"), status == "failed"
    usage = {
        "input_tokens": question.prompt_tokens,
        "input_tokens_details": {"cached_tokens": cached_tokens(meta), "cache_write_tokens": 0},
        "output_tokens": meta.tokens,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": question.prompt_tokens + meta.tokens,
    }
    return {
        "id": meta.name("resp_"),
        "object": "response",
        "created_at": meta.created,
        "status": status,
        "error": {"code": "server_error", "message": openai_errors.row_of(500, None).message} if failed else None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "model": question.model,
        "output": output,
        "usage": usage if finished else None,
        **question.echo,
    }


def item_id(meta: AnswerMetadata, number: int, part: Part) -> str:
    """The id of an item, by its kind."""
    kind = part.tool.kind if part.tool else part.kind
    return meta.name({"text": "msg_", "thinking": "rs_", "custom": "ctc_"}.get(kind, "fc_"), number)


def output_item(meta: AnswerMetadata, number: int, part: Part, text: str, status: str) -> Json:
    """An item of the output: a message, a reasoning or a call."""
    named: Json = {"id": item_id(meta, number, part), "status": status}
    match part:
        case Part("text", tokens):
            content = [output_text(meta, text, tokens if text else ())]
            return {**named, "type": "message", "role": "assistant", "content": content}
        case Part("thinking"):
            thinking = meta.question.form.thinking or Thinking(1.0)
            summary = [summary_text(text)] if thinking.shown and text else []
            sealed = {"encrypted_content": meta.seal()} if thinking.sealed else {}
            return {"id": named["id"], "type": "reasoning", "summary": summary, **sealed}
        case Part("call", _, Tool(name=name, kind="custom")):
            call_id = meta.name("call_", number)
            return {"id": named["id"], "type": "custom_tool_call", "call_id": call_id, "name": name, "input": text}
    name = part.tool.name if part.tool else ""
    return {**named, "type": "function_call", "call_id": meta.name("call_", number), "name": name, "arguments": text}


def output_text(meta: AnswerMetadata, text: str, tokens: tuple[str, ...]) -> Json:
    """The part of a message that is its text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": probabilities(meta, tokens)}


def probabilities(meta: AnswerMetadata, tokens: tuple[str, ...]) -> list[object]:
    """Those of a text's tokens, when they are asked for."""
    wanted = meta.question.form.logprobs
    return [] if wanted is None else list(logprobs(meta.mark, tokens, wanted))


def summary_text(text: str) -> Json:
    """A summary of a reasoning."""
    return {"type": "summary_text", "text": text}
