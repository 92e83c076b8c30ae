"""A server that speaks S3: moto, with what a broker needs of a store and moto leaves out.

usage: server.py PORT BUCKET...

Requests are taken one after the other: moto looks whether a key is free and writes it in two steps, so that two conditional
creates at once could both win, which S3 does not allow. A bucket named "careless" does not look at all: its conditional
creates replace, as they do in stores that do not know If-None-Match. Prints "ready" when the buckets are there.
"""

import os
import sys
import threading

# The client that makes the buckets wants some; moto takes any.
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

CARELESS = "careless"


class OneAtATime:
    """The application behind a lock, and without If-None-Match for the careless bucket."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith(f"/{CARELESS}/"):
            environ.pop("HTTP_IF_NONE_MATCH", None)
        with self.lock:
            return list(self.application(environ, start_response))


def main():
    port, buckets = int(sys.argv[1]), sys.argv[2:]
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1",
        port,
        application,
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.port}")
    for bucket in buckets:
        client.create_bucket(Bucket=bucket)
    print("ready", server.port, flush=True)
    thread.join()


if __name__ == "__main__":
    main()
