"""What only AWS can show: why no test here does, and how to see it there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Something that only AWS can show.

    Attributes:
        why: why it cannot be tested here.
        how: how to check it on AWS.
    """

    what: str
    why: str
    how: str


ROWS = (
    Row(
        "permissions of the state machines' roles, of KMS, of the event source",
        "the local AWS enforces the functions' roles for S3, DynamoDB and Step Functions only",
        "`make smoke`: an execution that succeeds has used all of them. For the backfill's role: "
        "run it with a prefix and with a manifest, and redrive a run that was stopped",
    ),
    Row(
        "a Fail state whose ErrorPath finds a name that begins with `States.`",
        "moto refuses it, the local AWS accepts it, AWS does not document it; a task that always "
        "times out gets there",
        "set a function's timeout to 1 second and upload a large image: the execution should fail "
        "with States.Timeout, not States.Runtime",
    ),
    Row(
        "error names when a function runs out of memory or time",
        "Lambda.Unknown, Sandbox.Timedout and Runtime.ExitError come from Lambda itself; all are "
        "States.TaskFailed to Retry and Catch",
        "give resize_image 512 MB and raise its pixel limit by hand; look at the execution's error",
    ),
    Row(
        "the runtime: the layer's botocore takes precedence over Lambda's own; Pillow on arm64",
        "functions run here under AWS's runtime client, but with this machine's Python; the arm64 "
        "package runs under qemu with Debian's, without that client",
        "`make smoke` prints the functions' settings, and fails if the conversion fails",
    ),
    Row(
        "conditional writes to S3 while two writers compete for a key (409)",
        "stand-ins handle one request after the other",
        "upload one key twenty times at once; the newest upload must be current in the destination",
    ),
    Row(
        "throttling: StartExecution at 150 a second, KMS, Lambda's concurrency",
        "no stand-in throttles, and the local AWS runs at most two calls of a function per "
        "processor at a time; `aws_contract/test_limits.py` contains the calculation",
        "upload some thousand small images; the dead-letter queue must stay empty",
    ),
    Row(
        "order and repetition of notifications",
        "the local AWS delivers each once, in order; `tests/durability/simulation` does not",
        "the same flood: there must be as many executions as versions, and no image may be lost",
    ),
    Row(
        "RedriveExecution, StopExecution in the middle of a task",
        "the local AWS has no redrive",
        "stop an execution in ResizeImage, `image-converter redrive --all`: it must continue from "
        "there",
    ),
    Row(
        "a Distributed Map: more than one page of a listing, its pace, and when too many children "
        "failed; what it writes of children that had not started",
        "the local AWS lists at once, runs all children before it counts failures, and writes "
        "results as AWS documents them, whose names for JSON Lines AWS does not show; AWS does not "
        "document either whether S3 Inventory's keys are decoded, which the definition does",
        "run a backfill over some thousand objects and over an inventory with a key that has a "
        "space and a plus sign; then one over a manifest with a row of another bucket. Should keys "
        "come decoded, loosen `key` in `asl/backfill_batch.asl.json`",
    ),
    Row(
        "batches of a backfill: what `tolerated_failure_percentage` counts; messages that SQS does "
        "not take for a fault of its own",
        "AWS's guide counts failed items, DescribeMapRun's page counts failed children: the local "
        "AWS fails a run by either. It refuses single messages of a batch for their characters "
        "only; moto is made to refuse others",
        "run a backfill over a manifest of ten rows, one of which names another bucket: nine "
        "messages must arrive, and DescribeMapRun must report ten failed items and one failed "
        "child",
    ),
    Row(
        "Logs Insights: how a query reads a pattern, and how soon it finds a new event",
        "the local AWS has an interpreter of its own and finds events at once; AWS documents no "
        "delay, and allows 100 queries at a time",
        "`image-converter watch` on an EXPRESS stack during 50 uploads: all must be shown within "
        "a minute, also those whose keys have quotes, slashes and dots",
    ),
    Row(
        'Lambda\'s lines with `system_log_level = "WARN"`: none of an invocation that succeeds',
        "the local AWS leaves them out as AWS documents it, and logs failed invocations as text",
        "on an EXPRESS stack, the log group of resize_image must have one line for each image; set "
        "system_log_level to INFO to have all back",
    ),
    Row(
        "JSONata in the backfill's definition",
        "both interpreters use one library, a port of the reference implementation; AWS has its "
        "own, and forbids `$eval` and `$` at the top level, which the definition does not use",
        "the same runs: a child that fails with States.QueryEvaluationError says where",
    ),
    Row(
        "logs under /aws/vendedlogs, X-Ray traces, alarms that are raised and sent",
        "the local AWS does not keep delivered logs or traces, and does not evaluate alarms",
        "upload a damaged image; the e-mail must arrive within two minutes",
    ),
    Row(
        "EXPRESS: executions that AWS itself runs twice, log lines that arrive late or never",
        "the local AWS ends EXPRESS executions after five minutes and logs them as documented, but "
        "each once and at once",
        'apply with workflow_type = "EXPRESS" and upload a damaged image while `image-converter '
        "watch` runs: it must show the states and DamagedImage, and the alarm for failed "
        "executions must be raised",
    ),
    Row(
        "the partitions aws-cn and aws-us-gov as deployed",
        "their ARNs and names are checked, their services are not",
        "`make smoke` in a region of the partition",
    ),
    Row(
        "expiry of old versions, deletion of the key after its window",
        "lifecycle rules take days",
        "list the source bucket's versions after the configured number of days",
    ),
    Row(
        "provider 6.x in operation",
        "its schema is checked, its code was not available",
        "see [upgrade-to-provider-6.md](upgrade-to-provider-6.md)",
    ),
    Row(
        "the state machine's role trusts states.amazonaws.com on behalf of exactly its ARN",
        "AWS documents the pattern with `ArnLike` and `stateMachine:*`, and does not say that the "
        "ARN is known while CreateStateMachine tests the role's log delivery",
        "`make smoke`: otherwise the apply fails in CreateStateMachine. Loosen in "
        "`modules/state_machine/main.tf`: "
        '`ArnLike = { "aws:SourceArn" = "${var.arn}*" }` instead of the list, or delete it',
    ),
    Row(
        "the key's policy admits S3 by aws:SourceArn and aws:SourceAccount, for the encrypted "
        "queue",
        "AWS's page on encrypted queues shows the statement without conditions; it documents "
        "both keys for SQS and SNS, but not for KMS",
        "`make smoke`: otherwise no message arrives and no execution starts. Loosen in "
        "`modules/key/main.tf`: delete `Condition` of NotificationsOfTheSourceBucket",
    ),
    Row(
        "events: PutEvents on condition of events:source, and the subscription to the log",
        "AWS's pages show the condition for rules, others use it for PutEvents; the log that the "
        "local AWS writes follows AWS's description, and its delivery is best effort on AWS",
        "apply with `events` and a rule whose pattern has the stack's name as `source`, and upload "
        "a whole and a damaged JPEG. If WriteToDynamoDb is denied PutEvents: delete `condition` "
        "in `events.tf`",
    ),
    Row(
        "an existing bucket: EventBridge sends to the encrypted queue and the dead-letter queue",
        "the local AWS asks neither queue's nor key's policy when a rule delivers",
        "apply `examples/existing-bucket` and upload a JPEG: otherwise the rule's metric "
        "FailedInvocations counts. Loosen in `modules/key/main.tf`: delete `Condition` of "
        "NotificationsOfTheSourceBucket",
    ),
    Row(
        "a function writes to the table with only kms:Decrypt, through DynamoDB",
        "AWS documents the permissions for creating a table; for writing items it only mentions "
        "Decrypt on the table's key",
        "`make smoke`: otherwise WriteToDynamoDb fails with AccessDeniedException. "
        'Loosen in `permissions.tf`: `actions = ["kms:Decrypt", "kms:DescribeKey", '
        '"kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]`',
    ),
    Row(
        "an upload that names the stack's key by its ID or alias",
        "AWS does not document whether the policy's conditions see the value as sent or the key's "
        "ARN; if as sent, the upload is refused",
        "`aws s3 cp --sse aws:kms --sse-kms-key-id alias/image-converter`. If it is refused: "
        "use the ARN, or omit both options, which has the same effect",
    ),
    Row(
        "the deployer's policy within five minutes after the key was made",
        "the tags of a new key may take that long to be effective; the local AWS does not support "
        "tags of keys",
        "apply with it in an empty account. If an action is denied, loosen in "
        "`deployer-policy.json.tftpl`: move the action from `Key` to `NewKey`",
    ),
)
