"""CloudWatch Logs: saved Logs Insights queries, which the emulator does not have.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryDefinition.html
"""

import json
import time
import uuid
from typing import Any, ClassVar

from ministack.services import cloudwatch_logs

from scripts.local_aws.patches.answers import Response, json_answer


def install() -> None:
    """Keep saved queries."""
    handle = cloudwatch_logs.handle_request
    queries = SavedQueries()

    async def handle_request(
        method: str, path: str, headers: Any, body: Any, query_params: Any
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        answered = queries.answer(action, json.loads(body)) if action in queries.ACTIONS else None
        if answered is not None:
            return json_answer(answered)
        answer: Response = await handle(method, path, headers, body, query_params)
        return answer

    cloudwatch_logs.handle_request = handle_request


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
            deleted = self._queries.pop(data["queryDefinitionId"], None)
            return {"success": deleted is not None}
        prefix = data.get("queryDefinitionNamePrefix", "")
        queries = [query for query in self._queries.values() if query["name"].startswith(prefix)]
        return {"queryDefinitions": queries}

    def _put(self, data: dict[str, Any]) -> dict[str, Any]:
        number = data.get("queryDefinitionId") or str(uuid.uuid4())
        wanted = ("name", "queryString", "logGroupNames")
        kept: dict[str, Any] = {name: data[name] for name in wanted if name in data}
        modified = int(time.time() * 1000)
        self._queries[number] = {"queryDefinitionId": number, "lastModified": modified, **kept}
        return {"queryDefinitionId": number}
