"""The situations of which every interleaving is run: uploads of a key, and executions."""

from dataclasses import dataclass

from tests.durability.simulation.storage import NOTHING, Storage
from tests.durability.simulation.system import Plan, State, event_of
from tests.support import images

RED, BLUE = images.jpeg(8, 8, seed=1), images.jpeg(8, 8, seed=2)
DAMAGED = RED[: len(RED) // 2]
TEXT = b"%PDF-1.7 not a picture"
UNKNOWN = b"no type that is known"


@dataclass(frozen=True)
class Scenario:
    """What people do, in this order, while the pipeline does whatever it can."""

    name: str
    plans: tuple[Plan, ...]
    storage: Storage = NOTHING

    def start(self, *, faults: int, deliveries: int) -> State:
        """Return the state in which nothing has happened."""
        return State(storage=self.storage, plans=self.plans, faults=faults, deliveries=deliveries)


def _uploads(*bodies: bytes, keys: tuple[str, ...] = ("a.jpg", "a.jpg")) -> tuple[Plan, ...]:
    return tuple(Plan(key, body) for key, body in zip(keys, bodies, strict=True))


_BY_HAND = Plan(event=event_of("a.jpg"))

TWO_UPLOADS = Scenario("two uploads of one key", _uploads(RED, BLUE))

SUSPENDED = Scenario(
    "two uploads of one key, versioning suspended",
    _uploads(RED, BLUE),
    Storage(versioning="Suspended"),
)

TWICE_THE_SAME = Scenario("the same bytes twice", _uploads(RED, RED))

SCENARIOS = (
    TWO_UPLOADS,
    Scenario(
        "two uploads, and deletes of what is deleted answer 404",
        _uploads(RED, BLUE),
        Storage(marker_answer="NoSuchKey"),
    ),
    TWICE_THE_SAME,
    SUSPENDED,
    Scenario(
        "two uploads of one key, never versioned", _uploads(RED, BLUE), Storage(versioning="")
    ),
    Scenario(
        "the same bytes twice, versioning suspended",
        _uploads(RED, RED),
        Storage(versioning="Suspended"),
    ),
    Scenario(
        "a damaged image, then a good one, versioning suspended",
        _uploads(DAMAGED, BLUE),
        Storage(versioning="Suspended"),
    ),
    Scenario("a damaged image, then a good one", _uploads(DAMAGED, BLUE)),
    Scenario("a good image, then a damaged one", _uploads(RED, DAMAGED)),
    Scenario("a text, then an image", _uploads(TEXT, BLUE)),
    Scenario("an image, then a text", _uploads(RED, TEXT)),
    Scenario("what is called .jpg and is of no known type, then an image", _uploads(UNKNOWN, BLUE)),
    Scenario("two images whose PNGs have one key", _uploads(RED, BLUE, keys=("a.jpg", "a.jpeg"))),
    Scenario("an image named like another's PNG", _uploads(RED, BLUE, keys=("a.jpg", "a.png"))),
    Scenario("an image that its uploader deletes", (Plan("a.jpg", RED), Plan("a.jpg"))),
    # An execution that is started by hand has no sequencer, and goes by S3's times.
    Scenario(
        "an execution started by hand between two uploads",
        (Plan("a.jpg", RED), _BY_HAND, Plan("a.jpg", BLUE)),
        Storage(seconds_pass=True),
    ),
    Scenario(
        "an execution started by hand while a text becomes an image",
        (Plan("a.jpg", TEXT), _BY_HAND, Plan("a.jpg", BLUE)),
        Storage(seconds_pass=True),
    ),
    Scenario("an execution started by hand of nothing", (_BY_HAND, Plan("a.jpg", RED))),
)
