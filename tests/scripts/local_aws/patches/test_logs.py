"""The local AWS keeps saved queries as CloudWatch Logs does."""

from scripts.local_aws.patches.logs import QUERY_ACTIONS


def test_a_query_is_saved_found_changed_and_deleted() -> None:
    saved = {"name": "mine/x", "queryString": "fields @message", "logGroupNames": ["/a"]}
    number = QUERY_ACTIONS["PutQueryDefinition"](saved)["queryDefinitionId"]

    changed = saved | {"queryDefinitionId": number, "queryString": "limit 1"}
    assert QUERY_ACTIONS["PutQueryDefinition"](changed) == {"queryDefinitionId": number}
    [query] = QUERY_ACTIONS["DescribeQueryDefinitions"]({"queryDefinitionNamePrefix": "mine"})[
        "queryDefinitions"
    ]
    assert (query["queryString"], query["logGroupNames"]) == ("limit 1", ["/a"])
    assert QUERY_ACTIONS["DescribeQueryDefinitions"]({"queryDefinitionNamePrefix": "x"}) == {
        "queryDefinitions": []
    }
    assert QUERY_ACTIONS["DeleteQueryDefinition"]({"queryDefinitionId": number}) == {
        "success": True
    }
    assert QUERY_ACTIONS["DeleteQueryDefinition"]({"queryDefinitionId": number}) == {
        "success": False
    }
