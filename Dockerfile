# One image for the service, Locust's master and its workers; see docker-compose.yml.
FROM python:3.12-slim

RUN useradd --user-group --create-home mockbot \
    && install -d -o mockbot -g mockbot /work /work/runs /run/mockbot

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockbot mockbot
COPY scenarios scenarios
COPY loadtests loadtests
RUN pip install --no-cache-dir ".[charts]" && rm -r /src/*

USER mockbot
WORKDIR /work
COPY loadtests loadtests
CMD ["mockbot", "--help"]
