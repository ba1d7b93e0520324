"""What a destroy might leave behind is in the inventory."""

from scripts.lib.inventory import inventory
from tests.support.emulator import Emulator


def test_rules_and_saved_queries_are_in_it(emulator: Emulator) -> None:
    logs, events = emulator.clients.logs, emulator.clients.client("events")
    before = inventory(emulator.clients)
    events.put_rule(Name="left", EventPattern='{"source": ["nobody"]}')
    query = logs.put_query_definition(name="left", queryString="fields @message")

    assert inventory(emulator.clients) - before == {"events: left", "logs: left"}

    events.delete_rule(Name="left")
    logs.delete_query_definition(queryDefinitionId=query["queryDefinitionId"])
    assert inventory(emulator.clients) == before
