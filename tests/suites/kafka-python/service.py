"""Stands in for test/service.py, which the source archive of kafka-python leaves out.

Its tests import two names from it. Only the one for a broker that runs already is used here.
"""


class ExternalService:
    """A broker that somebody else starts and stops."""

    def __init__(self, host, port):
        self.host = host
        self.port = port

    def open(self):
        pass

    def close(self):
        pass


class SpawnedService:
    """Never used: the address of the broker is always given."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("the suite is to run against the broker of KAFKA_URI")
