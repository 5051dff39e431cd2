"""Serves moto on a free port of 127.0.0.1, prints {"port": N} in one line, and ends when its standard input ends.

The parent holds the other end of that pipe, so that moto cannot outlive it, however the parent died.
"""

import importlib
import io
import json
import logging
import os
import sys
import threading
import types


def without_openapi_validator() -> None:
    """CloudFormation imports the models of every service, and API Gateway's wants this library at import time. The
    sandbox offers no API Gateway, so a name to import is enough."""
    for name, members in {
        "openapi_spec_validator": ["validate_spec"],
        "openapi_spec_validator.validation": [],
        "openapi_spec_validator.validation.exceptions": ["OpenAPIValidationError"],
    }.items():
        module = types.ModuleType(name)
        for member in members:
            setattr(module, member, type(member, (Exception,), {}))
        sys.modules.setdefault(name, module)


def load_services() -> None:
    """moto loads a service at its first call (ECS 0.8 s). These are needed in every world, so they load while the
    parent is still busy with its own start."""
    for service in ["sts", "ec2", "ecr", "elbv2", "ecs"]:
        importlib.import_module(f"moto.{service}.responses")


def one_at_a_time(application: type) -> None:
    """moto keeps its state in plain dictionaries and answers 500 now and then when two threads change them at once. The
    interpreter runs one of them at a time anyway, so a lock around each call costs nothing."""
    lock = threading.Lock()
    answer = application.__call__

    def locked(self, environ, start_response):
        with lock:
            return answer(self, environ, start_response)

    application.__call__ = locked


def whole_bodies(handler: type) -> None:
    """Reads a request to its end before moto sees it: nobody holds the lock while a body is still on its way, and what
    moto leaves unread cannot be taken for the next request of a kept connection."""
    make = handler.make_environ

    def make_environ(self):
        environ = make(self)
        length = environ.get("CONTENT_LENGTH")
        if length:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        return environ

    handler.make_environ = make_environ


def main() -> None:
    # Thousands of machine images in every account; nothing here starts one.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    without_openapi_validator()

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.server import ThreadedMotoServer
    from werkzeug.serving import WSGIRequestHandler

    # HTTP/1.0, the default, opens a connection for each call.
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    one_at_a_time(DomainDispatcherApplication)
    whole_bodies(WSGIRequestHandler)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(json.dumps({"port": server.get_host_and_port()[1]}), flush=True)
    threading.Thread(target=load_services, daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
