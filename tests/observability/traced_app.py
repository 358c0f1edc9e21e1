"""An application with OpenTelemetry of its own: it takes over the trace, asks main, exports its span to COLLECTOR."""

import os

import httpx
from fastapi import FastAPI, Request, Response
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "app"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{os.environ['COLLECTOR']}/v1/traces")))
tracer = provider.get_tracer("app")
app = FastAPI()


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """One span for each request, the parent of what the provider sees."""
    with tracer.start_as_current_span("answer", extract(request.headers)):
        headers = {"content-type": "application/json", "authorization": "Bearer sk-free-app"}
        inject(headers)
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            url = f"{os.environ['MAIN_URL']}/v1/chat/completions"
            answer = await client.post(url, content=await request.body(), headers=headers)
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])
