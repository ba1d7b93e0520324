"""Saved Logs Insights queries, which the emulator's CloudWatch Logs does not have.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryDefinition.html
"""

import time
import uuid
from typing import Any, ClassVar


class SavedQueries:
    """Keeps queries for as long as the local AWS runs."""

    ACTIONS: ClassVar = frozenset(
        {"PutQueryDefinition", "DescribeQueryDefinitions", "DeleteQueryDefinition"}
    )

    def __init__(self) -> None:
        self._queries: dict[str, dict[str, Any]] = {}

    def answer(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Return what CloudWatch Logs answers to one of the actions."""
        if action == "PutQueryDefinition":
            return self._put(data)
        if action == "DeleteQueryDefinition":
            found = self._queries.pop(data["queryDefinitionId"], None)
            return {"success": found is not None}
        prefix = data.get("queryDefinitionNamePrefix", "")
        queries = [one for one in self._queries.values() if one["name"].startswith(prefix)]
        return {"queryDefinitions": queries}

    def _put(self, data: dict[str, Any]) -> dict[str, Any]:
        number = data.get("queryDefinitionId") or str(uuid.uuid4())
        wanted = ("name", "queryString", "logGroupNames")
        kept: dict[str, Any] = {name: data[name] for name in wanted if name in data}
        modified = int(time.time() * 1000)
        self._queries[number] = {"queryDefinitionId": number, "lastModified": modified, **kept}
        return {"queryDefinitionId": number}
