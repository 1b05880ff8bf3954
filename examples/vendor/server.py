#!/usr/bin/env python3
"""A vendor's scoring service, small enough to read: a logistic scorecard behind HTTP.

    VENDOR_KEY=... python3 server.py [--port 8077] [--release 2026.1] [--noise SD] [--fail-after N]

Standard library only. It answers `POST /score` with `{"rows": [{"purpose": ..., "amount_band": ...}, ...]}` by
`{"version": ..., "scores": [{"score": 0.71}, ...]}`, in the order of the rows, where the header `Authorization` is
`Bearer ` and the key. The weights were fitted on data.csv and rounded; nobody should lend money by them.

--release 2026.2 is another model, which says so. --release silent is that model under the old version's name.
--noise adds normal noise to every score, as a model that samples would. --fail-after N answers N requests, then
breaks down (status 503), as services do.
"""

import argparse
import hmac
import json
import math
import os
import random
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INTERCEPT = 0.73
PURPOSE = {
    "business": 0.01, "car (new)": 1.05, "car (used)": -0.20, "domestic appliances": -0.32,
    "furniture or equipment": 0.27, "other": -0.41, "radio or television": -0.26, "repairs": -0.57,
    "retraining": -0.12, "vacation": 0.54,
}
AMOUNT = {"up to 1500": 0.29, "1501 - 2500": 0.39, "2501 - 4000": 0.53, "4001 - 7500": -0.31, "over 7500": -0.90}

BODY_BYTES_MAX = 1 << 20


def score(row, release):
    """The probability of good repayment; a purpose or band that is not known counts as average."""
    amount = AMOUNT.get(row.get("amount_band"), 0.0)
    if release != "2026.1":
        amount *= 0.5  # the new model trusts the amount less
    logit = INTERCEPT + PURPOSE.get(row.get("purpose"), 0.0) + amount
    return 1.0 / (1.0 + math.exp(-logit))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413, {"error": "too long"})
        body = self.rfile.read(length)
        server = self.server
        wanted = "Bearer " + server.key
        if not hmac.compare_digest(self.headers.get("Authorization", ""), wanted):
            return self.answer(401, {"error": "no such key"})
        if self.path != "/score":
            return self.answer(404, {"error": "POST /score"})
        with server.lock:
            server.n_requests += 1
            n = server.n_requests
        if server.fail_after is not None and n > server.fail_after:
            return self.answer(503, {"error": "down for maintenance"})
        try:
            rows = json.loads(body)["rows"]
            scores = [score(row, server.release) for row in rows]
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.answer(400, {"error": "send {\"rows\": [{\"purpose\": ..., \"amount_band\": ...}]}"})
        if server.noise:
            with server.lock:
                scores = [value + server.random.gauss(0.0, server.noise) for value in scores]
        version = "2026.1" if server.release == "silent" else server.release
        return self.answer(200, {"version": version, "scores": [{"score": round(value, 6)} for value in scores]})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def main():
    parser = argparse.ArgumentParser(description="A vendor's scoring service, for the guide.")
    parser.add_argument("--port", type=int, default=8077, help="0 takes a free one")
    parser.add_argument("--release", choices=["2026.1", "2026.2", "silent"], default="2026.1")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--fail-after", type=int)
    arguments = parser.parse_args()
    key = os.environ.get("VENDOR_KEY", "")
    if not key:
        sys.exit("set VENDOR_KEY to the key that clients must send")
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.key, server.release, server.noise = key, arguments.release, arguments.noise
    server.fail_after, server.n_requests = arguments.fail_after, 0
    server.lock, server.random = threading.Lock(), random.Random(1)
    print("listening on http://127.0.0.1:%d" % server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
