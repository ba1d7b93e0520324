"""The optional budget as the provider makes it: what it counts, when it warns and whom."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.aws import Clients
from scripts.local_aws import REGION, LocalAws
from tests.security import roots

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

NAME = "budgeted"


@pytest.fixture
def clients(local_aws: LocalAws) -> Clients:
    """Clients of the local AWS."""
    return Clients(local_aws.env)


@pytest.fixture
def key_arn(clients: Clients) -> Iterator[str]:
    """A key for the topic, which goes with the test: others look what is left in the end."""
    key = clients.kms.create_key()["KeyMetadata"]
    yield key["Arn"]
    clients.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)


def test_a_budget_warns_the_topic(
    terraform_env: dict[str, str], clients: Clients, key_arn: str, tmp_path: Path
) -> None:
    account = clients.sts.get_caller_identity()["Account"]
    variables = {
        "name": NAME,
        "kms_key_arn": key_arn,
        "state_machine_arn": f"arn:aws:states:{REGION}:{account}:stateMachine:{NAME}",
        "upload_function_name": "image-converter-upload",
        "queue_name": NAME,
        "queue_age_seconds": 900,
        "dead_letter_queue_name": f"{NAME}-dead-letters",
        "dashboard_url": "https://example.com",
        "monthly_budget_usd": 12.5,
        "cost_tag": {"key": "Project", "value": NAME},
    }
    budgets = clients.client("budgets")
    with roots.applied("alarms", variables, tmp_path, terraform_env) as outputs:
        place = {"AccountId": account, "BudgetName": outputs["budget_name"]}
        budget = budgets.describe_budget(**place)["Budget"]
        assert float(budget["BudgetLimit"]["Amount"]) == 12.5
        assert budget["BudgetLimit"]["Unit"] == "USD"
        assert budget["CostFilters"] == {"TagKeyValue": [f"user:Project${NAME}"]}
        notifications = budgets.describe_notifications_for_budget(**place)["Notifications"]
        assert {
            (notification["NotificationType"], notification["Threshold"])
            for notification in notifications
        } == {
            ("ACTUAL", 80.0),
            ("FORECASTED", 100.0),
        }
        for notification in notifications:
            notification.pop("NotificationState", None)
            answer = budgets.describe_subscribers_for_notification(
                **place, Notification=notification
            )
            assert answer["Subscribers"] == [
                {"SubscriptionType": "SNS", "Address": outputs["topic_arn"]}
            ]
    assert budgets.describe_budgets(AccountId=account).get("Budgets", []) == []
