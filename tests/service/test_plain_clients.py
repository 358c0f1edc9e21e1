"""Clients that need nothing but the URL, in every language whose toolchain is here: a plain answer and a streamed one.

Each program gets the URL and a request's body, and prints the status and what came.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.foreign_environment import environment_of
from tests.service.conftest import Served, body

pytestmark = pytest.mark.live

PYTHON = {
    "httpx": "import httpx; a = httpx.post(url, content=body, headers=json); print(a.status_code, a.text)",
    "requests": "import requests; a = requests.post(url, data=body, headers=json); print(a.status_code, a.text)",
    "urllib": "from urllib.request import Request, urlopen\na = urlopen(Request(url, body.encode(), json))\n"
              "print(a.status, a.read().decode())",
}  # fmt: skip
AIOHTTP = """
import aiohttp, asyncio, sys
url, body = sys.argv[1:]
json = {"content-type": "application/json"}
async def main():
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=json) as a:
        print(a.status, await a.text())
asyncio.run(main())
"""
NODE = """
const [url, body] = process.argv.slice(1)
const answer = await fetch(url, {method: "POST", body, headers: {"content-type": "application/json"}})
console.log(answer.status, await answer.text())
"""
JAVA = """
import java.net.URI;
import java.net.http.*;
class Main {
    public static void main(String[] given) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(given[0])).header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(given[1])).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
    }
}
"""
GO = """
package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func main() {
	answer, err := http.Post(os.Args[1], "application/json", strings.NewReader(os.Args[2]))
	if err != nil { panic(err) }
	text, err := io.ReadAll(answer.Body)
	if err != nil { panic(err) }
	fmt.Println(answer.StatusCode, string(text))
}
"""
RUST = """
fn main() {
    let given: Vec<String> = std::env::args().collect();
    let request = reqwest::blocking::Client::new().post(&given[1]).header("content-type", "application/json");
    let answer = request.body(given[2].clone()).send().unwrap();
    println!("{} {}", answer.status().as_u16(), answer.text().unwrap());
}
"""
CARGO = """
[package]
name = "client"
version = "0.1.0"
edition = "2021"

[dependencies]
reqwest = { version = "0.12", default-features = false, features = ["blocking"] }
"""
CURL = ["curl", "-sS", "--fail", "-H", "content-type: application/json"]


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")


def run(*command: str, folder: Path | None = None) -> str:
    """What it prints; the test fails when it does."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def asks(served: Served, *command: str) -> None:
    """With the URL and a body as the last arguments: a plain answer, then a stream."""
    url = served.main + "/v1/chat/completions"
    whole, stream = run(*command, url, body()), run(*command, url, body(stream=True))

    assert whole.startswith("200 ")
    assert json.loads(whole[4:])["choices"][0]["finish_reason"] == "stop"
    assert stream.startswith("200 data: {")
    assert stream.rstrip().endswith("data: [DONE]")


@pytest.mark.second
@pytest.mark.parametrize("client", PYTHON)
def test_python(served: Served, client: str) -> None:
    """httpx, requests, urllib."""
    start = 'import sys; url, body = sys.argv[1:]; json = {"content-type": "application/json"}\n'

    asks(served, sys.executable, "-c", start + PYTHON[client])


@pytest.mark.nightly
def test_aiohttp(served: Served, tmp_path: Path) -> None:
    """In an environment of its own: nothing here needs it."""
    asks(served, str(environment_of(tmp_path, ["aiohttp"])), "-c", AIOHTTP)


@pytest.mark.second
def test_node(served: Served) -> None:
    """fetch."""
    need("node")

    asks(served, "node", "--input-type=module", "-e", NODE, "--")


@pytest.mark.nightly
def test_java(served: Served, tmp_path: Path) -> None:
    """java.net.http offers `Upgrade: h2c`, as langchain4j's and Spring AI's do."""
    need("javac")
    (tmp_path / "Main.java").write_text(JAVA)
    run("javac", "Main.java", folder=tmp_path)

    asks(served, "java", "-cp", str(tmp_path), "Main")


@pytest.mark.parametrize("options", [[], ["--http2"], ["--http1.0"], ["-H", "transfer-encoding: chunked"],
                                     ["-H", "expect: 100-continue"]])  # fmt: skip
def test_curl(served: Served, options: Sequence[str]) -> None:
    """Offering HTTP/2, in HTTP/1.0, in chunks, and waiting for a word."""
    need("curl")
    url = served.main + "/v1/chat/completions"
    whole = run(*CURL, *options, "-d", body(), url)
    stream = run(*CURL, *options, "-d", body(stream=True), url)

    assert json.loads(whole)["choices"][0]["finish_reason"] == "stop"
    assert stream.rstrip().endswith("data: [DONE]")


@pytest.mark.nightly
def test_go(served: Served, tmp_path: Path) -> None:
    """net/http."""
    need("go")
    (tmp_path / "main.go").write_text(GO)
    run("go", "build", "-o", "client", "main.go", folder=tmp_path)

    asks(served, str(tmp_path / "client"))


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_rust(served: Served, tmp_path: Path) -> None:
    """reqwest."""
    need("cargo")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.rs").write_text(RUST)
    (tmp_path / "Cargo.toml").write_text(CARGO)
    run("cargo", "build", "-q", folder=tmp_path)

    asks(served, str(tmp_path / "target/debug/client"))
