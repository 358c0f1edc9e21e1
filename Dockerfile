# One image for the service, Locust's master and its workers; see docker-compose.yml and docs/kubernetes.md.
FROM python:3.12-slim AS mockbot

RUN useradd --uid 1000 --user-group --create-home mockbot \
    && install -d -o mockbot -g mockbot /work /work/runs /run/mockbot

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockbot mockbot
COPY scenarios scenarios
COPY loadtests loadtests
RUN pip install --no-cache-dir . && rm -r /src/*

USER mockbot
WORKDIR /work
COPY loadtests loadtests
CMD ["mockbot", "--help"]

# For the Locust operator, which gives arguments only.
FROM mockbot AS locust
ENTRYPOINT ["locust"]

FROM mockbot
