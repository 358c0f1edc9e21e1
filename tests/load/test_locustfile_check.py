"""The mistakes of a locustfile are found before anything starts: file, line, what, and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.conftest import Inside

ASKS = "    @task\n    def ask(self):\n        self.client.post('/ask', json={'text': 'hi'})\n"
HEAD = "from locust import FastHttpUser, HttpUser, User, task\nfrom mockbot import ChatUser\n"
WRONG = {
    "syntax": ("class A(:\n", ":3: is not Python: invalid syntax"),
    "missing": ("import nowhere_at_all\n", ":3: cannot be imported: ModuleNotFoundError: No module"),
    "raises": ("def f():\n    raise ValueError('no')\nf()\n", ":4: cannot be imported: ValueError: no; correct it"),
    "leaves": ("raise SystemExit(0)\n", ":3: cannot be imported: SystemExit: 0; correct it"),
    "nobody": ("X = 1\n", ":1: has no user class; write one that inherits"),
    "only_abstract": ("class A(HttpUser):\n    abstract = True\n", ":3: class A is abstract, and no other is there"),
    "bare": ("class A(User):\n    @task\n    def t(self): pass\n", ":3: class A is no ChatUser, so its requests"),
    "fast": (f"class A(FastHttpUser):\n{ASKS}", ":3: class A is a FastHttpUser, so its requests"),
    "twice": (f"class A(HttpUser):\n{ASKS}class A(HttpUser):\n{ASKS}", ":7: class A is defined again"),
    "one_group": ("class A(ChatUser): pass\nclass B(ChatUser): pass\n", ":4: class B has the same group_name as A"),
    "number": ("class A(HttpUser):\n    tasks = [3]\n", ":3: class A has the task 3, which is neither a"),
    "no_task": ("class A(HttpUser): pass\n", ":3: class A has no task; write a method with @task"),
    "no_url": (f"class A(HttpUser):\n    host = 'localhost:80'\n{ASKS}", ":3: class A has the host 'localhost:80', "),
    "elsewhere": (
        f"class A(HttpUser):\n    host = 'http://127.0.0.1:1'\n{ASKS}",
        ":3: class A has the host http://127.0.0.1:1, and --system is http://127.0.0.1:4000; leave the host out",
    ),
    "arrives": (f"class A(HttpUser):\n    group_name = 'visitors'\n{ASKS}", ":3: class A is an HttpUser and cannot"),
}  # fmt: skip
RIGHT = {
    "plain": f"class A(HttpUser):\n    group_name = 'people'\n    host = 'http://127.0.0.1:4000'\n{ASKS}",
    "chat": "class Base(ChatUser):\n    abstract = True\nclass A(Base): pass\n",
}


@pytest.fixture(scope="module")
def found(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The mistakes of every file above, for a system that runs already."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in {**{name: text for name, (text, _) in WRONG.items()}, **RIGHT}.items():
        (folder / f"{name}.py").write_text(HEAD + text, "utf-8")
    mistakes: dict[str, list[str]] = inside("locustfiles", str(folder), "http://127.0.0.1:4000")
    return mistakes


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_with_its_line_and_a_remedy(found: dict[str, list[str]], name: str) -> None:
    """Only this one."""
    [mistake] = found[name]

    assert f"{name}.py{WRONG[name][1]}" in mistake


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_file_has_none(found: dict[str, list[str]], name: str) -> None:
    """Classes of both kinds, abstract ones between."""
    assert found[name] == []


@pytest.mark.second
@pytest.mark.parametrize("system", [[], ["--system", "http://127.0.0.1:9"]], ids=["direct", "system"])
def test_a_run_with_a_wrong_locustfile_never_starts(tmp_path: Path, system: list[str]) -> None:
    """Exit code 2, and no run folder; without a system, a plain HttpUser is wrong as well."""
    (tmp_path / "mine.py").write_text(f"from locust import HttpUser, task\nclass A(HttpUser):\n{ASKS}", "utf-8")
    (tmp_path / "none.py").write_text("print('hello')\n", "utf-8")
    command = [sys.executable, "-m", "mockbot", "run", "traffic-surge", *system, "--locustfile"]
    file, says = ("none.py", "none.py:1: has no user") if system else ("mine.py", "mine.py:2: class A is no ChatUser")

    ran = subprocess.run(
        [*command, file, "--out", "out"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )

    assert (ran.returncode, says in ran.stderr, (tmp_path / "out").exists()) == (2, True, False), ran.stderr
