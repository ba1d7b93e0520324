"""The local AWS keeps saved queries as CloudWatch Logs does."""

from scripts.local_aws.patches.logs import SavedQueries


def test_a_query_is_saved_found_changed_and_deleted() -> None:
    queries = SavedQueries()
    saved = {"name": "mine/x", "queryString": "fields @message", "logGroupNames": ["/a"]}
    number = queries.answer("PutQueryDefinition", saved)["queryDefinitionId"]

    changed = saved | {"queryDefinitionId": number, "queryString": "limit 1"}
    assert queries.answer("PutQueryDefinition", changed) == {"queryDefinitionId": number}
    [query] = queries.answer("DescribeQueryDefinitions", {"queryDefinitionNamePrefix": "mine"})[
        "queryDefinitions"
    ]
    assert (query["queryString"], query["logGroupNames"]) == ("limit 1", ["/a"])
    assert queries.answer("DescribeQueryDefinitions", {"queryDefinitionNamePrefix": "x"}) == {
        "queryDefinitions": []
    }
    assert queries.answer("DeleteQueryDefinition", {"queryDefinitionId": number}) == {
        "success": True
    }
    assert queries.answer("DeleteQueryDefinition", {"queryDefinitionId": number}) == {
        "success": False
    }
