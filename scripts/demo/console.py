"""The live page on a local AWS of its own: ``python -m scripts.demo --page``; ctrl-C ends both."""

from scripts.console import serve
from scripts.demo.display import Display
from scripts.demo.run import apply
from scripts.lib import deployed
from scripts.lib.aws import Clients
from scripts.lib.paths import BUILD, PACKAGE_LOCAL
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import LocalAws, Options

DIRECTORY = BUILD / "console"


def run(display: Display, port: int | None) -> None:
    """Serve the page on a port of 127.0.0.1, by default a free one, until a signal.

    Raises:
        UserError: it could not be served.
    """
    display.step("Starting the local AWS")
    with LocalAws(DIRECTORY / "local-aws", Options(auth=True)) as aws:
        settings = {"force_destroy": True}
        stack = Stack(DIRECTORY / "stack", aws.env, package=PACKAGE_LOCAL, variables=settings)
        apply(display, stack)
        display.step("Serving the page until ctrl-C")
        clients = Clients(aws.env)
        serve(clients, deployed.find(clients, deployed.DEFAULT_NAME), port)
